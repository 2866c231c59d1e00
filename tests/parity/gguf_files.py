"""Writing the models of `transformers` as GGUF files, as llama.cpp's converter does, for the tests of reading them."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, RopeScalingType, quants

from . import reference

HEADS, SHARED = 4, 2
# Rows of whole blocks of 32 numbers.
SIZES: dict[str, Any] = reference.SIZES | {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_key_value_heads": SHARED,
    "rms_norm_eps": 1e-5,
}
_BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
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


def gguf_name(theirs: str) -> str:
    """Return a parameter's name in a GGUF file."""
    if theirs in _OUTER:
        return _OUTER[theirs]
    _, _, layer, rest = theirs.split(".", 3)
    part, _, leaf = rest.rpartition(".")
    return f"blk.{layer}.{_BLOCK[part]}.{leaf}"


def _permuted(rows: np.ndarray, heads: int) -> np.ndarray:
    """Permute as llama.cpp converts: `LlamaModel.permute` of convert_hf_to_gguf.py."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


# The bytes of a matrix and the kind of its blocks, and the numbers that these mean.
Packed = tuple[np.ndarray, GGMLQuantizationType, np.ndarray]
Pack = Callable[[str, np.ndarray], Packed]


def packed_as(kind: GGMLQuantizationType) -> Pack:
    """Quantise every matrix as `kind`, by the `gguf` package."""

    def pack(name: str, numbers: np.ndarray) -> Packed:
        packed = quants.quantize(numbers, kind)
        return packed, kind, quants.dequantize(packed, kind)

    return pack


def _write_rotary(writer: GGUFWriter, rope: dict[str, Any], d_head: int) -> None:
    """Write as llama.cpp's convert_hf_to_gguf.py does: Llama 3's scaling as a table of what slows each pair."""
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope["rope_type"] == "llama3":
        low, high, old = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
        slowed = []
        for pair in range(0, d_head, 2):
            wavelength = 2 * math.pi * rope["rope_theta"] ** (pair / d_head)
            smooth = min(1.0, max(0.0, (old / wavelength - low) / (high - low)))
            slowed.append(1 / ((1 - smooth) / rope["factor"] + smooth))
        writer.add_tensor("rope_freqs.weight", np.array(slowed, np.float32))


def _write_sizes(writer: GGUFWriter, config: Any, architecture: str) -> None:
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
        _write_rotary(writer, config.rope_parameters, config.hidden_size // HEADS)
    if architecture == "qwen3":
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)


def write_gguf(
    path: Path,
    reference: Any,
    architecture: str,
    pack: Pack,
    more: dict[str, Any] | None = None,
    others: dict[str, np.ndarray] | None = None,
) -> None:
    """Write the reference as a GGUF file, its matrices packed, and give the reference the packed numbers.

    `more` are further entries of the architecture's metadata, or of the tokenizer's where they begin with its name;
    `others` are tensors of another head.
    """
    writer = GGUFWriter(path, architecture)
    _write_sizes(writer, reference.config, architecture)
    add: dict[type, Callable[[str, Any], None]] = {
        bool: writer.add_bool,
        float: writer.add_float32,
        int: writer.add_uint32,
        str: writer.add_string,
        list: writer.add_array,
    }
    for key, value in (more or {}).items():
        add[type(value)](key if key.startswith(("tokenizer.", "general.")) else f"{architecture}.{key}", value)
    for stored, held in (others or {}).items():
        writer.add_tensor(stored, held)
    for theirs, parameter in reference.named_parameters():
        name, numbers = gguf_name(theirs), parameter.detach().numpy()
        turned = architecture == "gpt2" and numbers.ndim == 2 and name.startswith("blk.")
        numbers = np.ascontiguousarray(numbers.T) if turned else numbers
        if architecture == "llama" and ".attn_q." in name:
            numbers = _permuted(numbers, HEADS)
        if architecture == "llama" and ".attn_k." in name:
            numbers = _permuted(numbers, SHARED)
        packed, kind, widened = packed_as(GGMLQuantizationType.F32)(name, numbers)
        if numbers.ndim == 2:
            packed, kind, widened = pack(name, numbers)
        writer.add_tensor(name, packed, raw_dtype=kind)
        if architecture == "llama" and (".attn_q." in name or ".attn_k." in name):
            heads = HEADS if ".attn_q." in name else SHARED
            rows = widened.shape[0] // heads // 2
            widened = widened.reshape(heads, rows, 2, -1).swapaxes(1, 2).reshape(widened.shape)
        parameter.data.copy_(torch.from_numpy(np.array(widened.T if turned else widened)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
