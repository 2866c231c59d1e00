"""GGUF files beside `transformers` on the same numbers: tiny ones written here, and SmolLM2 where it was pulled."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from app.checkpoints.catalog import Catalog
from app.checkpoints.errors import CheckpointError

from .gguf_files import SIZES, gguf_name, packed_as, write_gguf
from .reference import D_VOCAB, HIDDEN, POSITIONS, compare, compare_series, load, random_tokens, randomise, record

pytestmark = pytest.mark.parity


def _reference(architecture: str, **changes: Any) -> Any:
    torch.manual_seed(0)
    if architecture == "llama":
        model: Any = LlamaForCausalLM(LlamaConfig(**SIZES, **changes))
    elif architecture == "qwen2":
        model = Qwen2ForCausalLM(Qwen2Config(**SIZES, **changes, tie_word_embeddings=True))
    elif architecture == "qwen3":
        model = Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=32))
    else:
        model = GPT2LMHeadModel(GPT2Config(vocab_size=D_VOCAB, n_embd=64, n_layer=2, n_head=4, n_positions=POSITIONS))
    model.set_attn_implementation("eager")
    return randomise(model)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "gpt2"])
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_every_number_equals_the_references(tmp_path: Path, architecture: str, kind: str) -> None:
    reference = _reference(architecture)
    write_gguf(tmp_path / "tiny.gguf", reference, architecture, packed_as(GGMLQuantizationType[kind]))
    loaded = load(tmp_path / "tiny.gguf")
    compare(loaded, reference, random_tokens(POSITIONS))


_LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


@pytest.mark.parametrize(
    ("architecture", "rope"),
    [
        ("llama", {"rope_type": "linear", "factor": 3.0}),
        ("llama", {"rope_type": "llama3", "rope_theta": 500_000.0, **_LLAMA3}),
        ("qwen2", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 6}),
    ],
    ids=lambda given: given if isinstance(given, str) else given["rope_type"],
)
def test_rotary_positions_are_stretched_alike(tmp_path: Path, architecture: str, rope: dict[str, Any]) -> None:
    reference = _reference(architecture, rope_parameters={"rope_theta": 500.0, **rope})
    write_gguf(tmp_path / "tiny.gguf", reference, architecture, packed_as(GGMLQuantizationType.F32))
    loaded = load(tmp_path / "tiny.gguf")
    assert loaded.spec.rotary and loaded.spec.rotary.scaling == rope["rope_type"]
    compare(loaded, reference, random_tokens(POSITIONS))


_ROPE = {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}
_STRETCHED = {"rope_parameters": _ROPE}


@pytest.mark.parametrize(
    ("entries", "changes"),
    [
        # As llama.cpp's loader reads them: without a type a factor is linear, and an old key names the factor.
        ({"rope.scaling.factor": 4.0}, _STRETCHED),
        ({"rope.scale_linear": 4.0}, _STRETCHED),
        ({"rope.scaling.type": "none", "rope.scaling.factor": 4.0}, {}),
        ({"attention.causal": False}, {"is_causal": False}),
        # A factor below one draws positions apart; 0 is none; without a length, YaRN stretches the context's own.
        ({"rope.scaling.factor": 0.5}, _STRETCHED | {"rope_parameters": _ROPE | {"factor": 0.5}}),
        ({"rope.scaling.factor": 0.0}, {}),
        (
            {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0},
            {"rope_parameters": _ROPE | {"rope_type": "yarn", "original_max_position_embeddings": POSITIONS}},
        ),
        (
            {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.attn_factor": 0.5},
            {
                "rope_parameters": _ROPE
                | {
                    "rope_type": "yarn",
                    "original_max_position_embeddings": POSITIONS,
                    "attention_factor": 0.5 * (0.1 * math.log(4) + 1),
                }
            },
        ),
        # Nothing of what they name is asked for.
        ({"attention.sliding_window": POSITIONS, "attention.scale": 0.0, "logit_scale": 1.0}, {}),
    ],
    ids=lambda given: ", ".join(map(str, [*given, *given.values()])),
)
def test_entries_of_the_header_mean_what_llama_cpp_reads(
    tmp_path: Path, entries: dict[str, Any], changes: dict[str, Any]
) -> None:
    plain = _reference("llama", rope_parameters={"rope_type": "default", "rope_theta": 500.0})
    write_gguf(tmp_path / "tiny.gguf", plain, "llama", packed_as(GGMLQuantizationType.F32), entries)
    reference = plain if not changes else _reference("llama", **_PLAIN_ROPE | changes)
    reference.load_state_dict(plain.state_dict())
    compare(load(tmp_path / "tiny.gguf"), reference, random_tokens(POSITIONS))


def test_a_factor_of_attention_counts_without_a_stretch(tmp_path: Path) -> None:
    """As in llama.cpp, whose `attn_factor` multiplies cosine and sine whatever else stretches them."""
    rope = {"rope_type": "default", "rope_theta": 500.0}
    reference = _reference("llama", rope_parameters=rope)
    entries = {"rope.scaling.attn_factor": 0.5, "rope.scaling.type": "none"}
    write_gguf(tmp_path / "tiny.gguf", reference, "llama", packed_as(GGMLQuantizationType.F32), entries)
    reference.model.rotary_emb.attention_scaling = 0.5
    compare(load(tmp_path / "tiny.gguf"), reference, random_tokens(POSITIONS))


_PLAIN_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}


@pytest.mark.parametrize(
    "entries",
    [
        {"attention.sliding_window": 5},
        {"attention.scale": 0.5},
        {"attention.clamp_kqv": 2.0},
        {"attn_logit_softcapping": 30.0},
        {"logit_scale": 0.5},
        {"rope.freq_base_swa": 100.0},
        {"rope.scaling.type": "longrope", "rope.scaling.factor": 2.0},
        {"rope.scaling.type": "longrope"},
        {"rope.scaling.factor": -2.0},
        {"attention.key_length": 16, "attention.value_length": 8},
    ],
    ids=lambda given: next(iter(given)),
)
def test_an_entry_that_changes_the_numbers_and_is_not_read_is_refused(tmp_path: Path, entries: dict[str, Any]) -> None:
    write_gguf(tmp_path / "tiny.gguf", _reference("llama"), "llama", packed_as(GGMLQuantizationType.F32), entries)
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path / "tiny.gguf")
    assert any(name in str(caught.value) for name in entries) or "as wide as its keys" in str(caught.value)


@pytest.mark.parametrize("pooling", [0, 1, 2, 3])
def test_an_embedding_model_is_read_whatever_it_pools(tmp_path: Path, pooling: int) -> None:
    reference = _reference("qwen3")
    write_gguf(
        tmp_path / "tiny.gguf", reference, "qwen3", packed_as(GGMLQuantizationType.F32), {"pooling_type": pooling}
    )
    compare(load(tmp_path / "tiny.gguf"), reference, random_tokens(POSITIONS))


def test_a_ranking_model_is_a_body_and_its_classifier_is_named(tmp_path: Path) -> None:
    reference = _reference("qwen2")
    write_gguf(
        tmp_path / "tiny.gguf", reference, "qwen2", packed_as(GGMLQuantizationType.F32), {"pooling_type": 4},
        {"cls.output.weight": np.ones((2, 64), np.float32)},
    )  # fmt: skip
    loaded = load(tmp_path / "tiny.gguf")
    assert not loaded.spec.head and dict(loaded.entry.left_out) == {"cls.output.weight": (2, 64)}
    tokens = random_tokens(9)
    with torch.no_grad():
        expected = reference.model(tokens, **HIDDEN)
    compare_series(loaded, record(loaded, tokens), expected, "hidden_states")


def test_a_part_of_a_split_model_says_so(tmp_path: Path) -> None:
    path = tmp_path / "big-00001-of-00002.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_uint16("split.count", 2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    (tmp_path / "big-00002-of-00002.gguf").write_bytes(path.read_bytes())
    for place in (path, tmp_path):
        with pytest.raises(CheckpointError, match="one of 2 parts of a model"):
            load(place)


def test_an_unknown_quantisation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, _reference("llama"), "llama", packed_as(GGMLQuantizationType.F16))
    content = path.read_bytes()
    named = b"blk.0.ffn_up.weight"
    place = content.index(named) + len(named) + 4 + 16  # the count of axes, and two of them
    path.write_bytes(content[:place] + (99).to_bytes(4, "little") + content[place + 4 :])
    with pytest.raises(CheckpointError, match=r"ffn_up\.weight is quantised as unknown kind 99"):
        load(path)


@pytest.mark.parametrize("kept", [3, 20, 200, -100])
def test_a_file_that_was_not_fetched_whole_says_so(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, _reference("llama"), "llama", packed_as(GGMLQuantizationType.F16))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert caught.value.hint


def _smollm2_of(path: Path) -> Any:
    """Build SmolLM2 in `transformers`, by its published configuration, on the numbers that `gguf`'s reader finds."""
    config = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
    )  # fmt: skip
    reference: Any = LlamaForCausalLM(config)
    stored = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    for theirs, parameter in reference.named_parameters():
        tensor = stored[gguf_name(theirs)]
        numbers = quants.dequantize(tensor.data, tensor.tensor_type)
        if ".attn_q." in tensor.name or ".attn_k." in tensor.name:
            heads = 9 if ".attn_q." in tensor.name else 3
            numbers = numbers.reshape(heads, 32, 2, -1).swapaxes(1, 2).reshape(numbers.shape)
        parameter.data.copy_(torch.from_numpy(np.array(numbers)))
    reference.set_attn_implementation("eager")
    return reference.eval()


def test_smollm2_computes_what_transformers_does() -> None:
    home = Path.home() / ".local/share/transformer-atlas/models"
    if not (home / "smollm2").is_dir():
        pytest.skip("SmolLM2 was not pulled: transformer-atlas pull smollm2")
    loaded = Catalog(home / "none", [home / "smollm2"]).load("smollm2")
    reference = _smollm2_of(loaded.entry.checkpoint.files[0])
    tokens = torch.tensor([[token.id for token in loaded.tokenizer.encode("What is the capital of France?")]])
    compare(loaded, reference, tokens)
