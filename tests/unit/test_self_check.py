"""The self-check: every family passes it, and a model that computes something else does not."""

import dataclasses
from collections.abc import Iterator

import pytest
import torch

from app.checkpoints.catalog import LoadedModel
from app.runs.executor import Executor
from app.runs.self_check import Parity, SelfChecks, pieces
from app.transformer import layers
from app.transformer.blocks import build_graph
from app.transformer.cells import Reading
from tests.families import FAMILIES, load_random


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    executor = Executor(4)
    yield executor
    executor.close()


def prove(executor: Executor, loaded: LoadedModel) -> Parity:
    return SelfChecks(executor).of(loaded).report.result(60)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_equals_its_equations(executor: Executor, family: str) -> None:
    report = prove(executor, load_random(family, FAMILIES[family]))
    assert report.relative < 1e-5, report.worst
    assert report.not_finite == []
    assert report.operations == len(build_graph(FAMILIES[family]).ops)
    assert len(report.tokens) == 9
    assert len(report.source_tokens) == FAMILIES[family].source_positions


@pytest.mark.parametrize(
    "family, output, attribute, value",
    [
        ("gpt2", "blocks.1.ln1.hook_scale", "epsilon", 0.1),
        ("gemma", "blocks.1.ln2.hook_out", "offset", 0.5),
        ("t5", "decoder.blocks.0.attn.hook_attn_scores_raw", "scale", 0.9),
        ("qwen3", "blocks.1.attn.hook_attn_scores", "window", 2),
    ],
)
def test_a_model_that_computes_something_else_is_found_out(
    executor: Executor, family: str, output: str, attribute: str, value: float
) -> None:
    loaded = load_random(family, FAMILIES[family])
    part = loaded.model.get_submodule(output.rpartition(".")[0])
    assert hasattr(part, attribute)
    setattr(part, attribute, value)
    report = prove(executor, loaded)
    worst = report.worst
    assert worst is not None
    assert report.relative > 1e-3 or report.not_finite
    assert output in (worst.output, *report.not_finite)


def test_another_activation_is_found_out(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(layers.ACTIVATION_FUNCTIONS, "gelu_new", layers.ACTIVATION_FUNCTIONS["gelu"])
    report = prove(executor, load_random("gpt2", FAMILIES["gpt2"]))
    assert report.worst is not None
    assert report.worst.kind == "activation"
    assert report.worst.difference > 1e-5


def test_half_precision_is_told_as_it_is(executor: Executor) -> None:
    report = prove(executor, load_random("llama", FAMILIES["llama"], torch.bfloat16))
    assert report.dtype == "bfloat16"
    assert 1e-4 < report.relative < 0.05


def test_a_check_is_made_once_and_a_broken_one_again(executor: Executor) -> None:
    checks, loaded = SelfChecks(executor), load_random("gpt2", FAMILIES["gpt2"])
    broken = dataclasses.replace(loaded, graph=build_graph(FAMILIES["llama"]))
    with pytest.raises(KeyError):
        checks.of(broken).report.result(60)
    whole = checks.of(loaded)
    assert whole.report.result(60).relative < 1e-5
    assert checks.of(loaded) is whole
    assert whole.done == whole.operations


def test_pieces_are_small_and_cover_an_output_once() -> None:
    graph = build_graph(FAMILIES["gpt2"])
    op = graph.op_making("logits")
    assert op is not None
    seen = torch.zeros(9, 17)
    boxes = list(pieces(graph, op, Reading(9), limit=100))
    for rows, columns in boxes:
        seen[rows.start : rows.stop, columns.start : columns.stop] += 1
        assert len(rows) * 12 + len(columns) * 12 + len(rows) * len(columns) <= 100
    assert torch.equal(seen, torch.ones(9, 17))
    assert len(boxes) > 4
