"""The recorder alone: what is kept, what is derived, what is changed, and what memory it holds."""

import pytest
import torch
from torch import Tensor

from app.runs.recorder import Intervention, Recorder
from app.transformer.blocks import build_graph
from app.transformer.model import KeyValueCache, Transformer
from app.transformer.spec import Spec

SPEC = Spec(layers=2, heads=3, d_model=12, d_head=4, d_mlp=20, d_vocab=17, positions=64)
GRAPH = build_graph(SPEC)
TOKENS = [1, 16, 4, 4, 9, 0, 2, 11]


@pytest.fixture(scope="module")
def model() -> Transformer:
    model = Transformer(SPEC)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.4, generator=generator)
    return model.requires_grad_(False)


def feed(model: Transformer, recorder: Recorder, chunks: list[list[int]]) -> Tensor:
    """Read chunks of tokens one after the other; the logits of the last."""
    cache = KeyValueCache(SPEC, sum(map(len, chunks)))
    logits = torch.empty(0)
    for chunk in chunks:
        stages = model.stages(torch.tensor([chunk]), recorder.tap, cache)
        while True:
            try:
                next(stages)
            except StopIteration as stop:
                logits = stop.value
                break
    return logits


def record(model: Transformer, chunks: list[list[int]], *changes: Intervention, keep: bool = True) -> Recorder:
    recorder = Recorder(model, GRAPH, changes, keep)
    feed(model, recorder, chunks)
    return recorder


CHUNKS = [
    [TOKENS],
    [TOKENS[:5], *([token] for token in TOKENS[5:])],
    [TOKENS[:1], TOKENS[1:4], TOKENS[4:]],
    [[token] for token in TOKENS],
]


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("chunks", CHUNKS)
def test_however_the_text_was_read_every_tensor_is_the_same(
    model: Transformer, chunks: list[list[int]], keep: bool
) -> None:
    whole, parts = record(model, [TOKENS]), record(model, chunks, keep=keep)
    for name in whole.names:
        expected = whole.read(name)
        assert list(expected.shape) == whole.shape(name) == parts.shape(name)
        torch.testing.assert_close(parts.read(name), expected, atol=1e-5, rtol=1e-5, msg=name)


@pytest.mark.parametrize("keep", [True, False])
def test_rows_are_rows_of_the_whole(model: Transformer, keep: bool) -> None:
    recorder = record(model, CHUNKS[1], keep=keep)
    for name in recorder.names:
        axis = recorder.row_axis(name)
        for start, end in ((0, 2), (3, 7), (6, 8)):
            rows = recorder.read(name, start, end)
            torch.testing.assert_close(rows, recorder.read(name).narrow(axis, start, end - start), msg=name)


def test_what_is_derived_takes_no_memory(model: Transformer) -> None:
    kept, derived = record(model, [TOKENS]), record(model, [TOKENS], keep=False)
    count, squares = len(TOKENS), 3
    per_layer = 4 * SPEC.heads * (squares * count * count + 2 * count)
    assert kept.nbytes - derived.nbytes == SPEC.layers * per_layer
    assert derived.derived("blocks.0.attn.hook_pattern")
    assert not kept.derived("blocks.0.attn.hook_pattern")
    assert kept.derived("blocks.0.attn.hook_result")


def test_memory_is_counted_once_and_weights_never(model: Transformer) -> None:
    recorder = record(model, [TOKENS])
    own = {name for name in recorder.names if not recorder.derived(name) and not recorder.info(name).same_as}
    numbers = sum(recorder.read(name).numel() for name in own)
    assert recorder.nbytes == 4 * numbers
    full = record(model, [[1] * SPEC.positions])
    assert full.read("hook_pos_embed").data_ptr() != model.W_pos.data_ptr()


def test_recording_changes_nothing(model: Transformer) -> None:
    recorder = Recorder(model, GRAPH)
    torch.testing.assert_close(feed(model, recorder, [TOKENS]), model(torch.tensor([TOKENS])), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("keep", [True, False])
def test_a_change_holds_where_it_says_however_the_text_is_read(
    model: Transformer, chunks: list[list[int]], keep: bool
) -> None:
    changes = (
        Intervention("blocks.0.hook_resid_mid", (slice(4, 7), 3), "set", 2.5),
        Intervention("blocks.1.attn.hook_pattern", (1, 6, slice(0, 3)), "scale", 0.5),
        Intervention("blocks.1.attn.hook_attn_scores_raw", (2, slice(None), 0), "add", 1.0),
        Intervention("blocks.0.mlp.hook_post", (7,), "add", -1.0),
    )
    whole, parts = record(model, [TOKENS], *changes), record(model, chunks, *changes, keep=keep)
    plain = record(model, [TOKENS])
    assert whole.read("blocks.0.hook_resid_mid")[4:7, 3].tolist() == [2.5] * 3
    torch.testing.assert_close(
        whole.read("blocks.0.hook_resid_mid")[:4], plain.read("blocks.0.hook_resid_mid")[:4], atol=1e-6, rtol=1e-6
    )
    for name in whole.names:
        torch.testing.assert_close(parts.read(name), whole.read(name), atol=1e-5, rtol=1e-5, msg=name)


def test_the_first_tensor_with_a_number_that_is_none(model: Transformer) -> None:
    assert record(model, [TOKENS]).first_non_finite() is None
    change = Intervention("blocks.1.hook_mlp_out", (2, 1), "set", float("inf"))
    assert record(model, [TOKENS], change).first_non_finite() == "blocks.1.hook_mlp_out"


def test_what_is_not_there_is_a_key_error(model: Transformer) -> None:
    recorder = record(model, [TOKENS])
    for name in ("nothing", "W_E"):
        with pytest.raises(KeyError):
            recorder.read(name)
    with pytest.raises(KeyError):
        Recorder(model, GRAPH).read("hook_embed")


@pytest.mark.parametrize("changed", ["hook_max", "hook_sum"])
def test_a_changed_maximum_or_sum_is_what_the_shares_are_computed_with(model: Transformer, changed: str) -> None:
    attention = "blocks.0.attn."
    recorder = record(model, [TOKENS], Intervention(attention + changed, (), "scale", 1.5))
    steps = ("hook_attn_scores", "hook_max", "hook_sum", "hook_pattern")
    scores, largest, total, pattern = (recorder.read(attention + name).double() for name in steps)
    untouched = record(model, [TOKENS]).read(attention + changed).double()
    assert torch.allclose(recorder.read(attention + changed).double(), 1.5 * untouched, rtol=1e-6)
    exponentials = (scores - largest[..., None]).exp()
    if changed == "hook_max":
        assert torch.allclose(total, exponentials.sum(-1), rtol=1e-6)
    assert torch.allclose(pattern, exponentials / total[..., None], rtol=1e-5)


def test_logits_of_many_positions_are_those_of_each_alone() -> None:
    spec = Spec(layers=1, heads=1, d_model=8, d_head=8, d_mlp=8, d_vocab=9001, positions=16)
    wide = Transformer(spec).requires_grad_(False)
    wide.initialise(3)
    resid = torch.randn(1, 16, 8, generator=torch.Generator().manual_seed(2))
    alone = torch.cat([wide.unembed(resid[:, place : place + 1]) for place in range(16)], 1)
    with torch.inference_mode():
        assert torch.allclose(wide.unembed(resid), alone, atol=1e-6)
