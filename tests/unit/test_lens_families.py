"""Every lens on every family: what it says holds, or it says why it says nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pytest
import torch

from app.lenses import LENSES, LensError
from app.runs.run import Run
from app.transformer.decoding import Sampling
from app.transformer.model import finish
from app.transformer.spec import Spec
from tests.families import FAMILIES, load_random, source_of

# Which lenses say nothing of which families; all others do.
SILENT = {
    "bert": {"contributions", "surprisal"},
    "marian": {"contributions"},
    **{name: {"position_similarity"} for name in ("llama", "qwen3", "neox", "phi", "gemma", "t5")},
}


def make_run(name: str, spec: Spec) -> Run:
    """Make a run that is over, of a random model without a tokenizer, on eight tokens."""
    loaded = load_random(name, spec)
    ids, source = [3, 1, 4, 1, 5, 9, 2, 6], source_of(spec)
    run = Run(loaded, loaded.tokenizer.tokens(ids), 0, Sampling())
    if source is not None:
        run.source = tuple(loaded.tokenizer.tokens(source[0].tolist()))
    with torch.inference_mode():
        finish(loaded.model.stages(torch.tensor([ids]), run.recorder.tap, source=source))
    run.fed = len(ids)
    return run


@pytest.fixture(scope="module", params=FAMILIES)
def run(request: pytest.FixtureRequest) -> Run:
    return make_run(request.param, FAMILIES[request.param])


def see(run: Run, lens: str, **asked: str) -> Any:
    return orjson.loads(LENSES[lens].see(run, asked).write("json"))


@pytest.mark.parametrize("lens", LENSES)
def test_a_lens_draws_or_says_why_not(run: Run, lens: str) -> None:
    family = run.loaded.entry.id
    if lens in SILENT.get(family, set()):
        assert LENSES[lens].applies(run.loaded.spec)
        with pytest.raises(LensError, match=f"does not apply to {family}: ") as refused:
            LENSES[lens].see(run, {})
        assert "lenses" in refused.value.hint
        return
    assert LENSES[lens].applies(run.loaded.spec) is None
    asked = {"which": "vocabulary"} if lens == "embeddings" else {}
    view = LENSES[lens].see(run, asked)
    table = orjson.loads(view.write("table"))
    assert table["rows"] and len(table["rows"]) == len(table["places"])
    assert all(len(row) == len(table["header"]) for row in table["rows"])
    for place in filter(None, table["places"]):
        assert len(place[1]) == len(run.loaded.graph.tensor(place[0]).axes), place
    figure = orjson.loads(view.write("figure"))
    assert figure["data"]
    # plotly.js calls a key invalid that is null; what `meta` holds is the page's own.
    keys = {(key, value) for part in [*figure["data"], figure["layout"]] for key, value in _scalars(part)}
    assert not [key for key, value in keys if value is None and key != "meta"]


def _scalars(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """List keys with values that are no lists, of all depths but inside `meta`."""
    for key, value in part.items():
        if isinstance(value, dict) and key != "meta":
            yield from _scalars(value)
        elif not isinstance(value, list | dict):
            yield key, value


def test_the_logit_lens_ends_in_the_output(run: Run) -> None:
    seen = see(run, "logit_lens", at="sub-layers")
    logits = run.recorder.read("logits").double()
    assert seen["recomputed_difference"] <= 1e-4 * max(1.0, float(logits.abs().max()))
    assert seen["top"]["id"][-1] == logits.argmax(-1).tolist()
    shares = torch.softmax(logits, -1).amax(-1)
    np.testing.assert_allclose(seen["probability"][-1], shares.numpy(), rtol=1e-4)
    assert all(rank == 1 for rank in seen["rank"][-1])


@pytest.mark.parametrize("token, minus", [("#5", ""), ("#2", "#11")])
def test_parts_add_up_to_the_logit(run: Run, token: str, minus: str) -> None:
    if "contributions" in SILENT.get(run.loaded.entry.id, ()):
        pytest.skip("the parts of its logits do not add up, as the lens says")
    for pos in range(8):
        seen = see(run, "contributions", pos=f"{pos}", token=token, minus=minus)
        size = max(1.0, *(abs(part["value"]) for part in seen["parts"]))
        assert abs(sum(part["value"] for part in seen["parts"]) - seen["logit"]) <= 1e-4 * size
        row = run.recorder.read("logits", pos, pos + 1)[0].double()
        expected = float(row[int(token[1:])] - (row[int(minus[1:])] if minus else 0))
        assert seen["logit"] == pytest.approx(expected)


def test_products_add_up_to_the_score_in_every_part(run: Run) -> None:
    choices = next(p for p in LENSES["query_key"].parameters(run) if p.name == "part").choices
    heads = run.loaded.spec.heads
    for part in choices:
        for head in (0, heads - 1):
            seen = see(run, "query_key", part=part, head=f"{head}", query="6", key="3")
            assert abs(seen["difference"]) <= 1e-4 * max(1.0, abs(seen["score"]))
            relative = run.loaded.spec.position_kind == "relative" and part != "cross"
            assert (seen["bias"] is not None) == relative


def test_a_pattern_names_the_tokens_of_both_its_axes(run: Run) -> None:
    kind = run.loaded.spec.kind
    parts = {"encoder_decoder": ("encoder", "decoder", "cross")}.get(kind, ("self",))
    for part in parts:
        seen = see(run, "attention", part=part)
        rows, columns = (7 if part == "encoder" else 8), (7 if part in ("encoder", "cross") else 8)
        assert (len(seen["tokens"]), len(seen["key_tokens"])) == (rows, columns)
        assert np.array(seen["matrix"]).shape == (rows, columns)
        np.testing.assert_allclose(np.array(seen["matrix"]).sum(-1), 1, atol=1e-5)


def test_induction_is_a_decoders(run: Run) -> None:
    spec = run.loaded.spec
    seen = see(run, "head_measures")
    # With nine positions there is room for a sequence of four, twice; a window of three shows one of two.
    assert ("induction" in seen["measures"]) == (spec.kind == "decoder")
    if spec.kind != "decoder":
        with pytest.raises(LensError, match="decoder") as refused:
            LENSES["head_measures"].see(run, {"measure": "induction"})
        assert "entropy" in refused.value.hint
        assert seen["sequence_reason"]


def test_a_neuron_is_named_by_tokens_where_its_way_out_is_linear(run: Run) -> None:
    linear = run.loaded.entry.id not in ("bert", "marian")
    seen = see(run, "neuron", neuron="3")
    assert bool(seen["toward"]) == linear
    assert bool(seen["toward_reason"]) != linear


def test_an_encoder_alone_has_a_layer_that_its_decoder_has_not() -> None:
    run = make_run("t5", FAMILIES["t5"])
    assert len(see(run, "attention", part="encoder", layer="2")["tokens"]) == 7
    with pytest.raises(LensError, match="layer 2") as refused:
        LENSES["attention"].see(run, {"part": "cross", "layer": "2"})
    assert "0 to 1" in refused.value.hint
