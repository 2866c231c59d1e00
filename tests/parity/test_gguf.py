"""GGUF files beside `transformers` on the same numbers: tiny ones written here, and SmolLM2 where it was pulled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from app.checkpoints.catalog import Catalog
from app.checkpoints.errors import CheckpointError

from .reference import D_VOCAB, POSITIONS, compare, load, random_tokens, randomise

pytestmark = pytest.mark.parity

_HEADS, _SHARED = 4, 2
_SIZES: dict[str, Any] = {
    "vocab_size": D_VOCAB,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": _HEADS,
    "num_key_value_heads": _SHARED,
    "max_position_embeddings": POSITIONS,
    "rms_norm_eps": 1e-5,
}
_BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
_OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "transformer.wte.weight": "token_embd.weight",
    "transformer.wpe.weight": "position_embd.weight",
    "transformer.ln_f.weight": "output_norm.weight",
    "transformer.ln_f.bias": "output_norm.bias",
}


def _name(theirs: str) -> str:
    if theirs in _OUTER:
        return _OUTER[theirs]
    _, _, layer, rest = theirs.split(".", 3)
    part, _, leaf = rest.rpartition(".")
    return f"blk.{layer}.{_BLOCK[part]}.{leaf}"


def _permuted(rows: np.ndarray, heads: int) -> np.ndarray:
    """As llama.cpp converts it: `LlamaModel.permute` of convert_hf_to_gguf.py."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def write_gguf(path: Path, reference: Any, architecture: str, kind: GGMLQuantizationType) -> None:
    """The reference as a GGUF file, its matrices quantised; the reference takes on the quantised numbers."""
    config, writer = reference.config, GGUFWriter(path, architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    if architecture == "gpt2":
        writer.add_feed_forward_length(4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    for theirs, parameter in reference.named_parameters():
        name, numbers = _name(theirs), parameter.detach().numpy()
        turned = architecture == "gpt2" and numbers.ndim == 2 and name.startswith("blk.")
        numbers = np.ascontiguousarray(numbers.T) if turned else numbers
        stored = GGMLQuantizationType.F32 if numbers.ndim == 1 else kind
        if architecture == "llama" and ".attn_q." in name:
            numbers = _permuted(numbers, _HEADS)
        if architecture == "llama" and ".attn_k." in name:
            numbers = _permuted(numbers, _SHARED)
        packed = quants.quantize(numbers, stored)
        writer.add_tensor(name, packed, raw_dtype=stored)
        widened = quants.dequantize(packed, stored)
        if architecture == "llama" and (".attn_q." in name or ".attn_k." in name):
            heads = _HEADS if ".attn_q." in name else _SHARED
            rows = widened.shape[0] // heads // 2
            widened = widened.reshape(heads, rows, 2, -1).swapaxes(1, 2).reshape(widened.shape)
        parameter.data.copy_(torch.from_numpy(np.array(widened.T if turned else widened)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _reference(architecture: str) -> Any:
    torch.manual_seed(0)
    if architecture == "llama":
        model: Any = LlamaForCausalLM(LlamaConfig(**_SIZES))
    elif architecture == "qwen2":
        model = Qwen2ForCausalLM(Qwen2Config(**_SIZES, tie_word_embeddings=True))
    else:
        model = GPT2LMHeadModel(GPT2Config(vocab_size=D_VOCAB, n_embd=64, n_layer=2, n_head=4, n_positions=POSITIONS))
    model.set_attn_implementation("eager")
    return randomise(model)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gpt2"])
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_every_number_equals_the_references(tmp_path: Path, architecture: str, kind: str) -> None:
    reference = _reference(architecture)
    write_gguf(tmp_path / "tiny.gguf", reference, architecture, GGMLQuantizationType[kind])
    loaded = load(tmp_path / "tiny.gguf")
    compare(loaded, reference, random_tokens(POSITIONS))


def test_an_unknown_quantisation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, _reference("llama"), "llama", GGMLQuantizationType.F16)
    content = path.read_bytes()
    named = b"blk.0.ffn_up.weight"
    place = content.index(named) + len(named) + 4 + 16  # the count of axes, and two of them
    path.write_bytes(content[:place] + (99).to_bytes(4, "little") + content[place + 4 :])
    with pytest.raises(CheckpointError, match=r"ffn_up\.weight is quantised as unknown kind 99"):
        load(path)


@pytest.mark.parametrize("kept", [3, 20, 200, -100])
def test_a_file_that_was_not_fetched_whole_says_so(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, _reference("llama"), "llama", GGMLQuantizationType.F16)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert caught.value.hint


def _smollm2_of(path: Path) -> Any:
    """SmolLM2 in `transformers`, by its published configuration, on the numbers that `gguf`'s own reader finds."""
    config = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
    )  # fmt: skip
    reference: Any = LlamaForCausalLM(config)
    stored = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    for theirs, parameter in reference.named_parameters():
        tensor = stored[_name(theirs)]
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
        pytest.skip("SmolLM2 was not pulled: python -m app pull smollm2")
    loaded = Catalog(home / "none", [home / "smollm2"]).load("smollm2")
    reference = _smollm2_of(loaded.entry.checkpoint.files[0])
    tokens = torch.tensor([[token.id for token in loaded.tokenizer.encode("What is the capital of France?")]])
    compare(loaded, reference, tokens)
