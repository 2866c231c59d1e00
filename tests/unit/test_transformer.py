"""The transformer against its own graph: every tensor recomputed in float64 from the cells the graph says it reads."""

import math

import pytest
import torch
from torch import Tensor

from app.transformer.blocks import build_graph
from app.transformer.cells import Box, Reading, stored_as
from app.transformer.decoding import Sampling, choose, sampling_distribution
from app.transformer.equations import evaluate
from app.transformer.model import KeyValueCache, Tap, Transformer, finish, no_tap
from app.transformer.names import resolve_name
from app.transformer.spec import Spec, SpecError
from tests.families import FAMILIES, source_of

SPECS = [
    Spec(layers=2, heads=3, d_model=12, d_head=4, d_mlp=20, d_vocab=17, positions=9),
    Spec(1, 5, 8, 7, 11, 13, 6, activation="relu", tied=False, norm_epsilon=1e-3),
    Spec(3, 1, 6, 6, 24, 5, 4, activation="gelu"),
]


def make_model(spec: Spec, fused: bool = True) -> Transformer:
    """Make random everything: gains, biases and all, so that a missing one shows."""
    model = Transformer(spec, fused)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.1, 0.5, generator=generator)
    return model.requires_grad_(False)


def record(model: Transformer, tokens: Tensor) -> dict[str, Tensor]:
    """Record every tapped tensor of a pass, without its batch axis; summaries without their axis of length one."""
    seen: dict[str, Tensor] = {}

    def tap(name: str, tensor: Tensor) -> Tensor:
        kept = tensor[0]
        seen[name] = kept.squeeze(-1) if name.endswith(("hook_mean", "hook_scale")) else kept
        return tensor

    finish(model.stages(tokens, tap, source=source_of(model.spec)))
    return seen


@pytest.mark.parametrize("spec", [*SPECS, *FAMILIES.values()], ids=["small", "odd and untied", "one head", *FAMILIES])
def test_every_tensor_equals_the_graphs_arithmetic_in_float64(spec: Spec) -> None:
    model, graph = make_model(spec), build_graph(spec)
    count = min(spec.positions, 9)
    tokens = torch.randint(spec.d_vocab, (count,), generator=torch.Generator().manual_seed(2))
    captured, source = record(model, tokens[None]), source_of(spec)
    ids = [] if source is None else source[0].tolist()
    reading = Reading(count, len(ids), {"tokens": tokens.tolist(), "source_tokens": ids})
    values = {tensor.name: model.weight(tensor.name).double() for tensor in graph.tensors if tensor.role == "weight"}

    def cells(name: str, box: Box) -> Tensor:
        kept = values[name if name in values else stored_as(graph, name).name]
        return kept[tuple(slice(part.start, part.stop) for part in box)]

    for op in graph.ops:
        values[op.output] = evaluate(graph, op, reading, cells)
        if graph.tensor(op.output).derived:
            continue
        ours, reference = captured[op.output].double(), values[op.output]
        assert ours.shape == reference.shape, op.output
        finite = reference.isfinite()
        assert torch.equal(finite, ours.isfinite()), op.output
        bound = 1e-4 * max(1.0, float(reference[finite].abs().max()))
        assert float((ours - reference)[finite].abs().max()) <= bound, op.output


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("fused", [True, False])
def test_the_fused_path_gives_the_logits_of_the_tapped_one(name: str, fused: bool) -> None:
    model = make_model(FAMILIES[name], fused)
    tokens = torch.arange(9)[None] % 17
    logits = model(tokens, source=source_of(model.spec))[0]
    assert torch.allclose(logits, record(model, tokens)["logits"], atol=1e-4 * float(logits.abs().max()))


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_computed_is_what_the_graph_declares(name: str) -> None:
    model = make_model(FAMILIES[name])
    graph, seen = build_graph(model.spec), record(model, torch.arange(5)[None])
    declared = {t.name: t for t in graph.tensors if t.role != "weight" and not t.same_as and not t.derived}
    assert seen.keys() == declared.keys()
    lengths = {**graph.sizes, "pos": 5, "query_pos": 5, "key_pos": 5, "source_pos": 7}
    for tensor in declared.values():
        shape = tuple(lengths["source_pos" if axis in tensor.source_axes else axis] for axis in tensor.axes)
        assert seen[tensor.name].shape == shape, tensor.name


@pytest.mark.parametrize("name", [name for name, spec in FAMILIES.items() if spec.writes])
@pytest.mark.parametrize("tapped", [True, False])
def test_every_family_reads_in_pieces_what_it_reads_at_once(name: str, tapped: bool) -> None:
    model = make_model(FAMILIES[name])
    tokens = torch.arange(9)[None] * 5 % 17
    source = source_of(model.spec)
    tap: Tap = (lambda _name, tensor: tensor) if tapped else no_tap
    cache = KeyValueCache(model.spec, 9)
    pieces = [finish(model.stages(piece, tap, cache, source)) for piece in tokens.split([4, 1, 3, 1], dim=1)]
    whole = model(tokens, source=source)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-4 * float(whole.abs().max()))


@pytest.mark.parametrize("name", ["bert", "t5", "marian"])
def test_padding_changes_nothing_for_the_text_before_it(name: str) -> None:
    model = make_model(FAMILIES[name])
    longer = torch.tensor([[3, 1, 4, 1, 5, 0, 0]])
    padding = torch.tensor([[False] * 5 + [True] * 2])
    if model.spec.kind == "encoder":
        padded, plain = model(longer, padding=padding)[:, :5], model(longer[:, :5])
    else:
        tokens = torch.tensor([[2, 7, 1]])
        padded = model(tokens, source=longer, source_padding=padding)
        plain = model(tokens, source=longer[:, :5])
    assert torch.allclose(padded, plain, atol=1e-4 * float(plain.abs().max()))


@pytest.mark.parametrize("chunks", [[1, 1, 1, 1, 1, 1, 1, 1, 1], [4, 1, 1, 3], [8, 1]])
@pytest.mark.parametrize("tapped", [True, False])
def test_reading_in_pieces_through_the_cache_equals_reading_at_once(chunks: list[int], tapped: bool) -> None:
    spec = SPECS[0]
    model = make_model(spec)
    tokens = torch.arange(spec.positions)[None] * 5 % spec.d_vocab
    tap: Tap = (lambda _name, tensor: tensor) if tapped else no_tap
    cache = KeyValueCache(spec, spec.positions)
    pieces = [finish(model.stages(piece, tap, cache)) for piece in tokens.split(chunks, dim=1)]
    assert torch.allclose(torch.cat(pieces, 1), model(tokens), atol=1e-5)


def test_a_tap_replaces_what_the_computation_goes_on_with() -> None:
    model = make_model(SPECS[0])
    tokens = torch.arange(5)[None]

    def silence(name: str, tensor: Tensor) -> Tensor:
        return torch.zeros_like(tensor) if name == "blocks.0.hook_attn_out" else tensor

    plain, silenced = record(model, tokens), {}

    def watch(name: str, tensor: Tensor) -> Tensor:
        silenced[name] = silence(name, tensor)
        return silenced[name]

    finish(model.stages(tokens, watch))
    assert torch.equal(silenced["blocks.0.hook_resid_mid"][0], plain["blocks.0.hook_resid_pre"])
    assert not torch.allclose(silenced["logits"][0], plain["logits"])


def test_every_operation_makes_one_tensor_and_reads_only_what_is_made_before() -> None:
    for spec in [*SPECS, *FAMILIES.values()]:
        graph = build_graph(spec)
        made = {tensor.name for tensor in graph.tensors if tensor.role == "weight"} | {"tokens", "source_tokens"}
        for op in graph.ops:
            assert {read.tensor for read in op.reads} <= made, op.output
            assert all(len(read.index) == len(graph.tensor(read.tensor).axes) for read in op.reads)
            assert op.output not in made
            made.add(op.output)
        undone = {t.name for t in graph.tensors} - made
        assert all(graph.tensor(name).same_as or graph.tensor(name).derived for name in undone)


def test_weights_are_views_of_the_parameters_and_count_up_to_them() -> None:
    for spec in [*SPECS, *FAMILIES.values()]:
        model, graph = make_model(spec), build_graph(spec)
        weights = [t for t in graph.tensors if t.role == "weight" and not t.same_as and t.learned]
        assert sum(model.weight(t.name).numel() for t in weights) == graph.parameter_count
        parameters = {p.untyped_storage().data_ptr() for p in model.parameters()}
        assert {model.weight(t.name).untyped_storage().data_ptr() for t in weights} == parameters
        for tensor in weights:
            assert list(model.weight(tensor.name).shape) == graph.shape(tensor)


def test_hugging_face_names_resolve() -> None:
    spec = SPECS[0]
    assert resolve_name("hidden_states[0]", spec) == "blocks.0.hook_resid_pre"
    assert resolve_name("hidden_states[-1]", spec) == "ln_final.hook_out"
    assert resolve_name("attentions[1]", spec) == "blocks.1.attn.hook_pattern"
    assert resolve_name("attentions[2]", spec) == "attentions[2]"


def test_transformer_lens_names_of_an_encoder_decoder_resolve() -> None:
    paired = next(spec for spec in FAMILIES.values() if spec.kind == "encoder_decoder")
    names = {
        "encoder_blocks.0.hook_resid_post": "encoder.blocks.0.hook_resid_post",
        "decoder_blocks.1.self_attn.hook_pattern": "decoder.blocks.1.attn.hook_pattern",
        "decoder_blocks.0.cross_attn.hook_z": "decoder.blocks.0.cross_attn.hook_z",
        "decoder_blocks.0.hook_resid_mid2": "decoder.blocks.0.hook_resid_mid_cross",
        "encoder_ln_final.hook_out": "encoder.ln_final.hook_out",
        "unembed.hook_out": "logits",
    }
    assert {name: resolve_name(name, paired) for name in names} == names
    assert resolve_name("encoder_blocks.0.hook_resid_post", SPECS[0]) == "encoder_blocks.0.hook_resid_post"


def test_a_size_below_one_and_an_unknown_activation_are_refused() -> None:
    with pytest.raises(SpecError, match="heads is 0"):
        Spec(1, 0, 4, 4, 4, 4, 4)
    with pytest.raises(SpecError, match="swish"):
        Spec(1, 1, 4, 4, 4, 4, 4, activation="swish")  # type: ignore[arg-type]


LOGITS = torch.tensor([2.0, 0.5, 1.0, -3.0])


def test_temperature_zero_takes_the_largest() -> None:
    choice = choose(LOGITS, Sampling(), position=3)
    assert choice.token == 0
    assert choice.probability == pytest.approx(float(torch.softmax(LOGITS, 0)[0]))


def test_top_k_and_top_p_keep_what_their_definitions_say() -> None:
    kept = sampling_distribution(LOGITS, Sampling(temperature=1.0, top_k=2))
    assert kept.nonzero().flatten().tolist() == [0, 2]
    assert float(kept[0] / kept[2]) == pytest.approx(math.e)
    first = float(torch.softmax(LOGITS, 0)[0])
    assert sampling_distribution(LOGITS, Sampling(1.0, top_p=first - 0.01)).nonzero().flatten().tolist() == [0]
    assert sampling_distribution(LOGITS, Sampling(1.0, top_p=first + 0.01)).nonzero().flatten().tolist() == [0, 2]
    assert sampling_distribution(LOGITS, Sampling(0.5))[0] == pytest.approx(float(torch.softmax(LOGITS * 2, 0)[0]))


def test_the_same_seed_and_position_choose_the_same_and_frequencies_follow_the_distribution() -> None:
    sampling = Sampling(temperature=1.0, seed=7)
    draws = [choose(LOGITS, sampling, position).token for position in range(4000)]
    assert draws == [choose(LOGITS, sampling, position).token for position in range(4000)]
    shares = torch.bincount(torch.tensor(draws), minlength=4) / len(draws)
    # Four standard deviations of a share at 4,000 draws are at most 0.032.
    assert float((shares - torch.softmax(LOGITS, 0)).abs().max()) < 0.032
