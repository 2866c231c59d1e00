"""Reads a Hugging Face GPT-2 folder: `config.json` and `model.safetensors`.

The tensors are memory-mapped and, where the precision allows, used as they lie in the file. Everything is
checked against the spec before any model is built: what is missing, extra or misshapen is named.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from app.transformer.model import Transformer
from app.transformer.spec import ACTIVATIONS, Spec, SpecError

from .errors import CheckpointError

_SUPPORTED = "Supported is the GPT-2 family: model_type gpt2, activations " + ", ".join(ACTIVATIONS) + "."
_UNSUPPORTED_SWITCHES = ("scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention")
# Buffers of old files: the causal mask, which is no weight.
_IGNORED_ENDINGS = (".attn.bias", ".attn.masked_bias")

# Our parameter, and Hugging Face's, inside one block.
_BLOCK_NAMES = {
    "ln1.w": "ln_1.weight",
    "ln1.b": "ln_1.bias",
    "attn.W_QKV": "attn.c_attn.weight",
    "attn.b_QKV": "attn.c_attn.bias",
    "attn.W_O": "attn.c_proj.weight",
    "attn.b_O": "attn.c_proj.bias",
    "ln2.w": "ln_2.weight",
    "ln2.b": "ln_2.bias",
    "mlp.W_in": "mlp.c_fc.weight",
    "mlp.b_in": "mlp.c_fc.bias",
    "mlp.W_out": "mlp.c_proj.weight",
    "mlp.b_out": "mlp.c_proj.bias",
}


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's `config.json`.

    Raises:
        CheckpointError: it is missing or no JSON object.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist", "Point to a folder with config.json and model.safetensors.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}", "Fetch or write the file again.") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path} holds no JSON object", "Fetch or write the file again.")
    return config


def read_spec(folder: Path) -> Spec:
    """The spec that a GPT-2 `config.json` describes.

    Raises:
        CheckpointError: another architecture, a variant that is not supported, or a value missing or impossible.
    """
    config = read_config(folder)
    path = folder / "config.json"
    if config.get("model_type") != "gpt2":
        raise CheckpointError(f"{path} says model_type {config.get('model_type')!r}", _SUPPORTED)
    for switch in _UNSUPPORTED_SWITCHES:
        if config.get(switch):
            raise CheckpointError(f"{path} sets {switch}, which is not supported", _SUPPORTED)
    if not config.get("scale_attn_weights", True):
        raise CheckpointError(f"{path} turns scale_attn_weights off, which is not supported", _SUPPORTED)
    try:
        return _spec_of(config)
    except KeyError as error:
        needed = "A GPT-2 config has n_layer, n_head, n_embd, n_positions, vocab_size."
        raise CheckpointError(f"{path} lacks {error}", needed) from error
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}", _SUPPORTED) from error


def _spec_of(config: dict[str, Any]) -> Spec:
    d_model, heads = int(config["n_embd"]), int(config["n_head"])
    if heads < 1 or d_model % heads:
        raise SpecError(f"n_embd {d_model} is not a multiple of n_head {heads}")
    return Spec(
        layers=int(config["n_layer"]),
        heads=heads,
        d_model=d_model,
        d_head=d_model // heads,
        d_mlp=int(config.get("n_inner") or 4 * d_model),
        d_vocab=int(config["vocab_size"]),
        positions=int(config["n_positions"]),
        activation=config.get("activation_function", "gelu_new"),
        norm_epsilon=float(config.get("layer_norm_epsilon", 1e-5)),
        tied=bool(config.get("tie_word_embeddings", True)),
    )


def load_model(folder: Path, spec: Spec, device: str, dtype: torch.dtype) -> Transformer:
    """Build the model of `spec` on the folder's numbers.

    Raises:
        CheckpointError: the file is missing, broken, or does not fit the spec; every misfit is named.
    """
    found = _read_tensors(folder / "model.safetensors")
    with torch.device("meta"):
        model = Transformer(spec)
    expected = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    _check(folder, expected, found, spec)
    state = {name: found[_file_name(name)].to(device, dtype) for name in expected if name != "W_U"}
    if not spec.tied:
        # [d_vocab, d_model] -> [d_model, d_vocab]
        state["W_U"] = found["lm_head.weight"].t().contiguous().to(device, dtype)
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False).eval()


def _file_name(name: str) -> str:
    """Hugging Face's name of one of our parameters, without its `transformer.` prefix."""
    fixed = {
        "W_E": "wte.weight",
        "W_pos": "wpe.weight",
        "ln_final.w": "ln_f.weight",
        "ln_final.b": "ln_f.bias",
        "W_U": "lm_head.weight",
    }
    if name in fixed:
        return fixed[name]
    _, layer, rest = name.split(".", 2)
    return f"h.{layer}.{_BLOCK_NAMES[rest]}"


def export_state(model: Transformer, dtype: torch.dtype) -> dict[str, Tensor]:
    """The model's parameters under Hugging Face's names, for `model.safetensors`."""
    state = {}
    for name, parameter in model.named_parameters():
        tensor = parameter.t() if name == "W_U" else parameter
        prefix = "" if name == "W_U" else "transformer."
        state[prefix + _file_name(name)] = tensor.detach().to(dtype).contiguous()
    return state


def export_config(spec: Spec, end_of_text_id: int | None) -> dict[str, Any]:
    """The spec as a GPT-2 `config.json`."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_layer": spec.layers,
        "n_head": spec.heads,
        "n_embd": spec.d_model,
        "n_inner": spec.d_mlp,
        "n_positions": spec.positions,
        "vocab_size": spec.d_vocab,
        "activation_function": spec.activation,
        "layer_norm_epsilon": spec.norm_epsilon,
        "tie_word_embeddings": spec.tied,
        "bos_token_id": end_of_text_id,
        "eos_token_id": end_of_text_id,
    }


def _read_tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist", "Point to a folder with config.json and model.safetensors.")
    try:
        with safe_open(path, "pt") as file:
            named = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is broken or not a safetensors file: {error}", "Fetch or write the file again."
        ) from error
    named = {key.removeprefix("transformer."): tensor for key, tensor in named.items()}
    return {key: tensor for key, tensor in named.items() if not key.endswith(_IGNORED_ENDINGS)}


def _check(folder: Path, expected: dict[str, tuple[int, ...]], found: dict[str, Tensor], spec: Spec) -> None:
    shapes = {_file_name(name): shape for name, shape in expected.items()}
    if not spec.tied:
        shapes["lm_head.weight"] = (spec.d_vocab, spec.d_model)
    extra = found.keys() - shapes.keys()
    if spec.tied and "lm_head.weight" in extra and "wte.weight" in found:
        if not torch.equal(found["lm_head.weight"], found["wte.weight"]):
            raise CheckpointError(
                f"{folder}: config.json says the embeddings are tied, but lm_head.weight differs from wte.weight",
                'Set "tie_word_embeddings": false in config.json.',
            )
        extra.discard("lm_head.weight")
    complaints = [f"missing {name}" for name in sorted(shapes.keys() - found.keys())]
    complaints += [f"extra {name}" for name in sorted(extra)]
    complaints += [
        f"{name} has shape {list(found[name].shape)}, not {list(shape)}"
        for name, shape in sorted(shapes.items())
        if name in found and tuple(found[name].shape) != shape
    ]
    complaints += [
        f"{name} holds {found[name].dtype}, not floating point numbers"
        for name in sorted(shapes.keys() & found.keys())
        if not found[name].is_floating_point()
    ]
    if complaints:
        shown = "; ".join(complaints[:8]) + (f"; and {len(complaints) - 8} more" if len(complaints) > 8 else "")
        raise CheckpointError(
            f"{folder}: the weights do not fit config.json: {shown}", "Use the config.json that belongs to the weights."
        )
