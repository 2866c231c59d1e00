"""Every operation of every family by its reads alone: recomputed, perturbed, differentiated, inverted."""

import math
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import get_args

import pytest
import torch
from torch import Tensor

from app.transformer.blocks import build_graph
from app.transformer.cells import Box, Reading, cells_fed, cells_read, comparisons, stored_as
from app.transformer.equations import evaluate
from app.transformer.graph import Graph, Op, OpKind
from app.transformer.model import Transformer, finish
from app.transformer.operations import OPERATIONS
from app.transformer.operations.inputs import Cells
from app.transformer.spec import Spec
from app.transformer.terms import CellArithmetic
from app.transformer.wording import sentence, why_masked, word
from tests.families import FAMILIES, source_of

TOKENS = [3, 1, 16, 3, 0, 2]
SPECS: dict[str, Spec] = {
    **FAMILIES,
    "odd": Spec(1, 5, 8, 7, 11, 17, 6, activation="relu", tied=False, norm_epsilon=1e-3),
}
# A maximum and a ReLU have flat places, a mask has no slope where it hides.
SMOOTH = set(OPERATIONS) - {"maximum", "mask"}
CELLS_IN_ALL = 10_000


def reading_of(spec: Spec) -> Reading:
    source = source_of(spec)
    ids = [] if source is None else source[0].tolist()
    return Reading(len(TOKENS), len(ids), {"tokens": TOKENS, "source_tokens": ids})


def make_model(spec: Spec) -> Transformer:
    """Make random everything, its sizes such that no attention is all or nothing."""
    model = Transformer(spec)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.1, 0.3, generator=generator)
    return model.requires_grad_(False)


@cache
def captured(family: str) -> tuple[Graph, Reading, dict[str, Tensor]]:
    """Capture a model's weights and every tensor of a pass in float32; what is derived, from what was captured."""
    spec = SPECS[family]
    model, graph, reading = make_model(spec), build_graph(spec), reading_of(spec)
    values = {tensor.name: model.weight(tensor.name) for tensor in graph.tensors if tensor.role == "weight"}

    def tap(name: str, tensor: Tensor) -> Tensor:
        shape = reading.shape(graph, graph.tensor(name))
        values[name] = tensor[0].reshape(shape)
        return tensor

    finish(model.stages(torch.tensor([TOKENS]), tap, source=source_of(spec)))
    for op in graph.ops:
        if graph.tensor(op.output).derived:
            values[op.output] = evaluate(graph, op, reading, cells_of(graph, values)).float()
    return graph, reading, values


def cells_of(graph: Graph, values: dict[str, Tensor]) -> Cells:
    def cells(name: str, box: Box) -> Tensor:
        kept = name if name in values else stored_as(graph, name).name
        return values[kept][tuple(slice(part.start, part.stop) for part in box)]

    return cells


def distinct_ops(graph: Graph) -> list[Op]:
    """List the operations that differ in more than their layer."""
    found: dict[object, Op] = {}
    for op in graph.ops:
        output = graph.tensor(op.output)
        shapes = [(read.index, read.where, read.part, graph.tensor(read.tensor).source_axes) for read in op.reads]
        found.setdefault((op.kind, output.axes, output.source_axes, str(op.constants), str(shapes)), op)
    return list(found.values())


def random_cell(shape: list[int], chance: random.Random) -> tuple[int, ...]:
    return tuple(chance.randrange(size) for size in shape)


def all_cells(shape: list[int]) -> Iterator[tuple[int, ...]]:
    for place in range(math.prod(shape)):
        index = []
        for size in reversed(shape):
            place, i = divmod(place, size)
            index.append(i)
        yield tuple(reversed(index))


def each_family(test: Callable[[str], None]) -> Callable[[str], None]:
    return pytest.mark.parametrize("family", SPECS)(test)


def test_every_kind_of_operation_is_met() -> None:
    met = {op.kind for spec in SPECS.values() for op in build_graph(spec).ops}
    assert met == set(OPERATIONS) == set(get_args(OpKind))


def test_a_kind_of_operation_is_known_in_its_own_module_alone() -> None:
    for kind, operation in OPERATIONS.items():
        assert kind == operation.kind
        for known in (operation.evaluate, operation.latex, operation.sentence):
            assert known.__module__ == f"app.transformer.operations.{kind}"


@each_family
def test_what_is_played_comes_to_the_number(family: str) -> None:
    graph, reading, values = captured(family)
    cells, chance = cells_of(graph, values), random.Random(f"{family} played")
    for op in distinct_ops(graph):
        index = random_cell(reading.shape(graph, graph.tensor(op.output)), chance)
        made = CellArithmetic(graph, op, reading, cells, index)
        sums, playback = made.summary(3), made.playback()
        if playback.steps:
            assert playback.steps[-1].becomes == pytest.approx(sums.result, rel=1e-12), op
            assert all(step.words and step.sign for step in playback.steps)
            assert {step.joins for step in playback.steps} - {None} <= {read.part for read in op.reads}
        else:
            # Terms of several cells become one number before they are put together, and that has to be said.
            several = any(len(term.cells) > 1 for term in sums.terms)
            assert playback.merging or not several, op


@each_family
def test_random_cells_add_up(family: str) -> None:
    graph, reading, values = captured(family)
    cells, chance = cells_of(graph, values), random.Random(family)
    for number in range(CELLS_IN_ALL // len(SPECS) + 1):
        op = graph.ops[number % len(graph.ops)]
        index = random_cell(reading.shape(graph, graph.tensor(op.output)), chance)
        sums = CellArithmetic(graph, op, reading, cells, index).summary(0)
        found = float(values[op.output][index])
        if not math.isfinite(found):
            assert found == sums.result, (op.output, index)
            continue
        size = sums.magnitude + abs(sums.bias or 0) if sums.combine == "sum" else abs(found)
        assert abs(sums.result - found) <= 1e-5 * size + 1e-6, (op.output, index)
        if sums.combine == "sum":
            assert sums.total + (sums.bias or 0) == pytest.approx(sums.result, rel=1e-12, abs=1e-12 * sums.magnitude)
        elif sums.combine == "root":
            assert math.sqrt(sums.total + float(op.constants["epsilon"])) == pytest.approx(sums.result, rel=1e-12)


@each_family
def test_terms_are_products_of_their_cells_and_come_in_order_of_size(family: str) -> None:
    graph, reading, values = captured(family)
    cells, chance = cells_of(graph, values), random.Random(family)
    for op in distinct_ops(graph):
        index = random_cell(reading.shape(graph, graph.tensor(op.output)), chance)
        sums = CellArithmetic(graph, op, reading, cells, index).summary(5)
        lit = cells_read(graph, op.output, index, reading)
        for term in sums.terms:
            for cell in term.cells:
                assert float(cells(cell.tensor, tuple(range(i, i + 1) for i in cell.index))) == cell.value
                inside = [
                    all(i in part for i, part in zip(cell.index, box.box, strict=True))
                    for box in lit
                    if box.tensor == cell.tensor
                ]
                assert any(inside), (op.output, cell)
            if op.kind == "einsum":
                product = math.prod(cell.value for cell in term.cells) * float(op.constants.get("scale", 1))
                assert term.value == pytest.approx(product, rel=1e-12)
        order = [term.value if sums.combine == "largest" else abs(term.value) for term in sums.terms]
        assert order == sorted(order, reverse=True)


def generic_inputs(graph: Graph, op: Op, reading: Reading) -> dict[str, Tensor]:
    """Make float64 numbers in which nothing is special; divisors and sums are positive, as they are in life."""
    generator = torch.Generator().manual_seed(len(op.output))
    inputs = {}
    for read in op.reads:
        shape = reading.shape(graph, graph.tensor(read.tensor))
        numbers = torch.randn(shape, dtype=torch.float64, generator=generator)
        inputs[read.tensor] = numbers.abs() + 0.5 if read.part in ("scale", "sum") else numbers
    return inputs


def lit_cells(graph: Graph, op: Op, index: tuple[int, ...], reading: Reading) -> dict[str, Tensor]:
    lit = {
        read.tensor: torch.zeros(reading.shape(graph, graph.tensor(read.tensor)), dtype=torch.bool) for read in op.reads
    }
    for found in cells_read(graph, op.output, index, reading):
        lit[found.tensor][tuple(slice(part.start, part.stop) for part in found.box)] = True
    return lit


@each_family
def test_nothing_but_the_lit_cells_matters_and_all_of_them_do(family: str) -> None:
    graph, reading = build_graph(SPECS[family]), reading_of(SPECS[family])
    chance = random.Random(family)
    for op in distinct_ops(graph):
        inputs = generic_inputs(graph, op, reading)
        for values in inputs.values():
            values.requires_grad_()
        whole = evaluate(graph, op, reading, cells_of(graph, inputs))
        for index in {random_cell(list(whole.shape), chance) for _ in range(3)}:
            lit = lit_cells(graph, op, index, reading)
            others = {name: torch.where(lit[name], values, values * 3 - 1) for name, values in inputs.items()}
            assert evaluate(graph, op, reading, cells_of(graph, others))[index] == whole[index], (op.output, index)
            slopes = torch.autograd.grad(whole[index], list(inputs.values()), retain_graph=True)
            for name, slope in zip(inputs, slopes, strict=True):
                touched = slope != 0
                if op.kind in SMOOTH and op.constants.get("function") != "relu":
                    assert torch.equal(touched, lit[name]), (op.output, index, name)
                else:
                    assert not (touched & ~lit[name]).any(), (op.output, index, name)


@each_family
def test_what_a_cell_feeds_is_the_inverse_of_what_cells_read(family: str) -> None:
    graph, reading = build_graph(SPECS[family]), reading_of(SPECS[family])
    chance = random.Random(family)
    for op in distinct_ops(graph):
        output = graph.tensor(op.output)
        readers: dict[tuple[str, tuple[int, ...]], set[tuple[int, ...]]] = {}
        asked = {
            (read.tensor, random_cell(reading.shape(graph, graph.tensor(read.tensor)), chance))
            for read in op.reads
            for _ in range(3)
        }
        for index in all_cells(reading.shape(graph, output)):
            for found in cells_read(graph, op.output, index, reading):
                for name, cell in asked:
                    if name == found.tensor and all(i in part for i, part in zip(cell, found.box, strict=True)):
                        readers.setdefault((name, cell), set()).add(index)
        for name, cell in asked:
            fed = {
                index
                for found in cells_fed(graph, name, cell, reading)
                if found.tensor == op.output
                for index in all_cells_of(found.box)
            }
            assert fed == readers.get((name, cell), set()), (op.output, name, cell)


def all_cells_of(box: Box) -> Iterator[tuple[int, ...]]:
    for place in all_cells([len(part) for part in box]):
        yield tuple(part[i] for part, i in zip(box, place, strict=True))


@each_family
def test_a_tied_weight_and_a_stream_with_two_names_feed_what_either_name_feeds(family: str) -> None:
    graph, reading = build_graph(SPECS[family]), reading_of(SPECS[family])
    for tensor in graph.tensors:
        if tensor.same_as is None:
            continue
        shape = reading.shape(graph, tensor)
        index = tuple(size - 1 for size in shape)
        own = tuple(reversed(index)) if tensor.transposed else index
        one = {(found.tensor, found.box) for found in cells_fed(graph, tensor.name, index, reading)}
        other = {(found.tensor, found.box) for found in cells_fed(graph, tensor.same_as, own, reading)}
        assert one == other
        assert one or tensor.name.endswith("hook_out")


@each_family
def test_a_box_of_an_output_is_that_part_of_the_whole(family: str) -> None:
    graph, reading, values = captured(family)
    cells, chance = cells_of(graph, values), random.Random(family)
    for op in distinct_ops(graph):
        whole = evaluate(graph, op, reading, cells)
        box = tuple(range(first := chance.randrange(size), chance.randrange(first, size) + 1) for size in whole.shape)
        part = evaluate(graph, op, reading, cells, box)
        assert torch.allclose(part, whole[tuple(slice(part.start, part.stop) for part in box)], rtol=1e-12, atol=1e-12)


@each_family
def test_a_formula_with_its_numbers_filled_in_comes_to_the_number(family: str) -> None:
    graph, reading, values = captured(family)
    cells, chance = cells_of(graph, values), random.Random(family)
    evaluated_kinds = set()
    for op in graph.ops:
        for _ in range(4):
            index = random_cell(reading.shape(graph, graph.tensor(op.output)), chance)
            sums = CellArithmetic(graph, op, reading, cells, index).summary(3)
            read = [
                found for found in cells_read(graph, op.output, index, reading) if math.prod(map(len, found.box)) == 1
            ]
            single = {op.reads.index(found.read): float(cells(found.tensor, found.box)) for found in read}
            left, right = word(graph, op, sums, index, single).latex_values.split(" = ")
            if "dots" in right or not math.isfinite(sums.result):
                continue
            evaluated_kinds.add(op.kind)
            # Four digits are written of every operand, and sums may cancel.
            sizes = [abs(cell.value) for term in sums.terms for cell in term.cells]
            error = 2e-3 * max([1.0, *sizes, abs(sums.result)])
            assert calculated(left) == pytest.approx(sums.result, rel=1e-3), (op.output, index)
            assert calculated(right) == pytest.approx(sums.result, abs=error), (op.output, index, right)
    assert evaluated_kinds >= {"embed", "add", "normalize", "affine", "softmax", "activation"}
    assert ("rotate" in evaluated_kinds) == any(op.kind == "rotate" for op in graph.ops)


def calculated(latex: str) -> float:
    """Compute the number that a formula without letters comes to."""
    text = re.sub(r"\\left|\\right|\\,", " ", latex).replace(r"\cdot", "*").replace(r"\times", "*")
    text = re.sub(r"\\operatorname\{(\w+)\}", r"\1", text)
    for pattern, written in 20 * (
        (r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))"),
        (r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)"),
        (r"\^\{([^{}]*)\}", r"**(\1)"),
        (r"(?<![\w}])\{([^{}]*)\}", r"(\1)"),
    ):
        text = re.sub(pattern, written, text)
    text = re.sub(r"([0-9)]) *\( *", r"\1*(", text.replace("^", "**").replace("\\", ""))
    names = {name: getattr(math, name) for name in ("e", "pi", "sqrt", "tanh", "erf")} | {"infty": math.inf}
    return float(eval(text, {"__builtins__": {}, "max": max, **names}))


@each_family
def test_every_operation_can_be_written_and_said(family: str) -> None:
    graph, reading, values = captured(family)
    cells, chance = cells_of(graph, values), random.Random(family)
    for op in distinct_ops(graph):
        index = random_cell(reading.shape(graph, graph.tensor(op.output)), chance)
        sums = CellArithmetic(graph, op, reading, cells, index).summary(3)
        single = {}
        for found in cells_read(graph, op.output, index, reading):
            if all(len(part) == 1 for part in found.box):
                single[op.reads.index(found.read)] = float(cells(found.tensor, found.box))
        words = word(graph, op, sums, index, single)
        for latex in (words.latex, words.latex_marked, words.latex_values):
            assert latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right"), latex
        for place in range(len(op.reads)):
            shown = rf"\operand{{{place}}}" in words.latex_marked
            assert shown or op.kind in ("softmax", "sum_exponentials"), (op.output, place)
        assert sentence(graph, op).endswith(".")


def test_what_comes_from_the_other_text_is_called_so() -> None:
    graph = build_graph(FAMILIES["marian"])
    keys = graph.op_making("decoder.blocks.0.cross_attn.hook_k")
    queries = graph.op_making("decoder.blocks.0.cross_attn.hook_q")
    assert keys is not None and queries is not None
    assert sentence(graph, keys).startswith("The sum over d_model of the encoder's ")
    assert "coder's" not in sentence(graph, queries)


def test_conditions_are_read_or_refused() -> None:
    at = {"key_pos": range(2, 3), "query_pos": range(4, 5)}
    for text, holds in [("key_pos <= query_pos", True), ("query_pos <= key_pos", False), ("key_pos < 2", False),
                        ("key_pos < 3", True), ("key_pos > query_pos - 2", False), ("key_pos > query_pos - 3", True),
                        ("key_pos <= query_pos and key_pos > query_pos - 2", False)]:  # fmt: skip
        assert all(one.holds(at) for one in comparisons(text)) is holds, text
        assert " and ".join(str(one) for one in comparisons(text)) == text
    for text in ("key_pos", "key_pos = query_pos", "key_pos < query_pos", "key_pos <= 3", "key_pos <= query_pos - 1"):
        with pytest.raises(ValueError, match="cannot read"):
            comparisons(text)


def test_why_a_cell_is_hidden_is_said() -> None:
    graph = build_graph(FAMILIES["qwen3"])
    name = "blocks.1.attn.hook_attn_scores"  # the windowed layer looks back less than 3
    hidden = [
        {"head": 0, "query_pos": 2, "key_pos": 4},
        {"head": 0, "query_pos": 5, "key_pos": 2},
        {"head": 0, "query_pos": 5, "key_pos": 3},
    ]
    assert [why_masked(graph, name, at) for at in hidden] == [
        "key_pos 4 comes after query_pos 2, which may not look ahead",
        "key_pos 2 is 3 before query_pos 5, which looks back less than 3",
        None,
    ]
