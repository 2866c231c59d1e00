"""Training: what decides a run, that it can be interrupted, and how quality is measured."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer as Library

from app.checkpoints.catalog import Catalog
from app.paths import MODELS
from app.training import sort, stories
from app.training.corpus import read_corpus
from app.training.export import export_model
from app.training.muon import Muon, orthogonalise
from app.training.trainer import IGNORED, Batch, Recipe, Trainer, TrainingError
from app.transformer.model import Transformer
from app.transformer.spec import Spec

SPEC = Spec(layers=2, heads=2, d_model=16, d_head=8, d_mlp=32, d_vocab=12, positions=8)
RECIPE = Recipe(
    tokens=8 * 32, batch_tokens=32, rate=1e-2, matrix_rate=0.02, warm_up=64, checkpoint_every=3 * 32, seed=5
)


KINDS = {
    "decoder": SPEC,
    "encoder": replace(SPEC, kind="encoder", norm_place="post", embedding_norm=True, head_transform=True),
    "encoder_decoder": replace(SPEC, kind="encoder_decoder", encoder_layers=1, norm_place="post"),
}


def batch(step: int, kind: str = "decoder") -> Batch:
    generator = torch.Generator().manual_seed(step)
    read = torch.randint(12, (4, 8), generator=generator)
    if kind == "encoder":
        places = torch.tensor([3, 8, 20])
        return Batch(read, read.flatten()[places], padding=read == 0, scored=places)
    if kind == "encoder_decoder":
        return Batch(read, read.roll(-1, 1), source=read.flip(1), source_padding=read.flip(1) == 0)
    return Batch(read, read.roll(-1, 1))


def trainer(out: Path, recipe: Recipe = RECIPE, kind: str = "decoder") -> Trainer:
    return Trainer(
        KINDS[kind],
        recipe,
        lambda step: batch(step, kind),
        lambda model: {"first_weight": float(model.W_E[0, 0].detach())},
        out,
    )


def lines(path: Path) -> list[dict[str, object]]:
    """Read a log without its times, which no two runs share."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("matrix_rate", [0.0, 0.02])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, matrix_rate: float, kind: str) -> None:
    recipe = replace(RECIPE, matrix_rate=matrix_rate)
    whole = trainer(tmp_path / "whole", recipe, kind).run()
    trainer(tmp_path / "parts", recipe, kind).run(stop_after=3)
    resumed = trainer(tmp_path / "parts", recipe, kind).run(resume=True)
    for name, parameter in whole.named_parameters():
        torch.testing.assert_close(resumed.get_parameter(name), parameter, rtol=0, atol=0)
    assert lines(tmp_path / "parts" / "log.jsonl")[-1] == lines(tmp_path / "whole" / "log.jsonl")[-1]


def test_a_run_learns_and_its_seed_decides_it(tmp_path: Path) -> None:
    first, again = trainer(tmp_path / "1").run(), trainer(tmp_path / "2").run()
    other = trainer(tmp_path / "3", replace(RECIPE, seed=6)).run()
    assert torch.equal(first.W_E, again.W_E)
    assert not torch.equal(first.W_E, other.W_E)


def test_scoring_a_few_places_alone_costs_the_same_as_ignoring_all_others(tmp_path: Path) -> None:
    trained = trainer(tmp_path, kind="encoder")
    given = batch(0, "encoder")
    assert given.scored is not None
    everywhere = torch.full_like(given.tokens, IGNORED).flatten().index_put((given.scored,), given.targets)
    logits = trained.model(given.tokens, padding=given.padding)
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), everywhere, ignore_index=IGNORED)
    torch.testing.assert_close(trained._plain_loss(**vars(given)), expected)


def test_resuming_nothing_or_another_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to resume"):
        trainer(tmp_path).run(resume=True)
    trainer(tmp_path).run(stop_after=1)
    with pytest.raises(TrainingError, match="another recipe"):
        trainer(tmp_path, replace(RECIPE, rate=1.0)).run(resume=True)


def test_rates_rise_stay_and_fall() -> None:
    recipe = Recipe(tokens=1000, batch_tokens=10, rate=1.0, warm_up=100, decay=0.5)
    factors = [recipe.rate_factor(step) for step in range(recipe.steps)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:50] == [1.0] * 41
    assert factors[-1] == pytest.approx(0.02)
    assert all(later < earlier for earlier, later in pairwise(factors[50:]))


def test_orthogonalising_brings_singular_values_near_one() -> None:
    matrices = torch.randn(3, 8, 20, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrices))
    assert float(values.min()) > 0.6
    assert float(values.max()) < 1.3


def test_muon_treats_queries_keys_and_values_apart() -> None:
    joint = torch.zeros(4, 12, requires_grad=True)
    joint.grad = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))
    joint.grad[:, :4] *= 1000
    Muon([("blocks.0.attn.W_QKV", joint)], lr=1.0).step()
    norms = [float(part.norm()) for part in joint.detach().chunk(3, 1)]
    assert max(norms) < 1.5 * min(norms)


def test_rows_hold_every_story_once_and_begin_with_a_whole_one() -> None:
    texts = [[index + 1] * (index % 7 + 1) for index in range(40)]
    rows = stories.Rows(texts, length=10, seed=0)
    first_pass = rows.take(0, rows.per_pass)  # [rows, read or predicted, pos]
    read, predicted = first_pass.unbind(1)
    assert (read[:, 0] == stories.END_OF_TEXT_ID).all()
    for index, text in enumerate(texts):
        whole = [stories.END_OF_TEXT_ID, *text]
        found = [
            row.tolist()
            for row in read
            if any(row[start : start + len(whole)].tolist() == whole for start in range(10))
        ]
        assert found, index
    assert torch.equal(read[:, 1:][predicted[:, :-1] != IGNORED], predicted[:, :-1][predicted[:, :-1] != IGNORED])
    assert torch.equal(stories.Rows(texts, 10, 0).take(5, 3), rows.take(5, 3))
    assert not torch.equal(rows.take(rows.per_pass, rows.per_pass), first_pass)


def test_what_begins_the_rest_of_a_long_text_is_not_scored() -> None:
    rows = stories.Rows([list(range(1, 16))], length=8, seed=0).take(0, 2)
    beginnings = {tuple(pair) for pair in rows[:, :, 0].tolist()}
    assert beginnings == {(0, 1), (0, IGNORED)}


def test_windows_score_every_token_once_with_half_a_context_read() -> None:
    story = list(range(1, 30))
    scored: list[int] = []
    for ids, new in stories.windows(story, length=8):
        assert ids[0] == stories.END_OF_TEXT_ID
        assert len(ids) - 1 <= 8
        scored += ids[-new:]
    assert scored == [*story, stories.END_OF_TEXT_ID]


def test_a_model_that_knows_nothing_costs_the_logarithm_of_its_vocabulary() -> None:
    loaded = Catalog(MODELS).load("stories")
    blank = Transformer(loaded.spec)
    with torch.no_grad():
        for parameter in blank.parameters():
            parameter.zero_()
    library = Library.from_file(str(MODELS / "stories" / "tokenizer.json"))
    texts = ["Once upon a time.", "The end. " * 150]
    quality = stories.measure(blank, library, texts)
    assert quality.nats_per_token == pytest.approx(math.log(4096), rel=1e-5)
    assert quality.bytes == sum(len(text) for text in texts)
    assert quality.bits_per_byte == pytest.approx(12 * quality.tokens / quality.bytes, rel=1e-5)


def test_the_split_is_by_story_and_the_same_everywhere(tmp_path: Path) -> None:
    texts = [f"Story number {number}." for number in range(400)]
    path = tmp_path / "stories.txt"
    path.write_text("\n<|endoftext|>\n".join(texts), encoding="utf-8")
    corpus = read_corpus(path, None)
    assert sorted(corpus.stories + corpus.held_out) == sorted(texts)
    assert 2 <= len(corpus.held_out) <= 25
    path.write_text("\n<|endoftext|>\n".join(reversed(texts)), encoding="utf-8")
    assert set(read_corpus(path, None).held_out) == set(corpus.held_out)
    with pytest.raises(FileNotFoundError, match=r"no \.txt file"):
        read_corpus(path, tmp_path / "nowhere")


def test_sort_can_be_trained_and_exported(tmp_path: Path) -> None:
    trained = sort.train_sort(tmp_path / "run", steps=20)
    export_model(tmp_path / "run", tmp_path / "models" / "sort", sort.SPEC, {"title": "Sort"})
    loaded = Catalog(tmp_path / "models").load("sort")
    tokens = sort.all_inputs()[:5]
    assert torch.equal(loaded.model(tokens), trained(tokens))
    assert [token.id for token in loaded.tokenizer.encode("CAB")] == [2, 0, 1]
    assert (loaded.entry.folder / "model.safetensors").stat().st_mode & 0o044 == 0o044
