"""nanoGPT's checkpoints, sharded folders, tokenizers from GGUF, and what is said of files that cannot be read."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from app.checkpoints.catalog import Catalog, LoadedModel
from app.checkpoints.errors import CheckpointError
from app.checkpoints.gguf_tokenizer import tokenizer_of, why_not
from app.checkpoints.huggingface import export_config, export_state
from app.transformer.model import Transformer
from app.transformer.spec import Rotary, Spec

ARGUMENTS = {"n_layer": 2, "n_head": 2, "n_embd": 8, "block_size": 6, "vocab_size": 11, "dropout": 0.1}
LLAMA = Spec(
    2, 2, 8, 4, 12, 10, 6, activation="silu", norm="rms", position_kind="rotary", rotary=Rotary(4), gated=True,
    qkv_bias=False, attention_bias=False, mlp_bias=False, tied=False, norm_epsilon=1e-6,
)  # fmt: skip


def load(path: Path, **how: Any) -> LoadedModel:
    catalog = Catalog(path.parent / "none", [path], **how)
    return catalog.load(catalog.entries()[0].id)


def complaint(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert caught.value.hint
    return f"{caught.value} {caught.value.hint}"


def nanogpt_state(bias: bool) -> dict[str, Tensor]:
    generator, state = torch.Generator().manual_seed(0), dict[str, Tensor]()
    shapes: dict[str, tuple[int, ...]] = {"wte": (11, 8), "wpe": (6, 8), "ln_f": (8,)}
    for layer in range(2):
        shapes |= {f"h.{layer}.ln_1": (8,), f"h.{layer}.ln_2": (8,)}
        shapes |= {f"h.{layer}.attn.c_attn": (24, 8), f"h.{layer}.attn.c_proj": (8, 8)}
        shapes |= {f"h.{layer}.mlp.c_fc": (32, 8), f"h.{layer}.mlp.c_proj": (8, 32)}
    for name, shape in shapes.items():
        state[f"transformer.{name}.weight"] = torch.randn(shape, generator=generator) * 0.5
        if bias and not name.startswith("w"):
            state[f"transformer.{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.5
    state["lm_head.weight"] = state["transformer.wte.weight"]
    return state


def nanogpt_logits(state: dict[str, Tensor], tokens: Tensor) -> Tensor:
    """Compute nanoGPT's forward pass, model.py of its repository, on two layers of two heads."""

    def part(name: str, x: Tensor, norm: bool = False) -> Tensor:
        weight, bias = state[f"transformer.{name}.weight"], state.get(f"transformer.{name}.bias")
        return F.layer_norm(x, (8,), weight, bias, 1e-5) if norm else F.linear(x, weight, bias)

    x = state["transformer.wte.weight"][tokens] + state["transformer.wpe.weight"][: tokens.shape[1]]
    for layer in range(2):
        q, k, v = part(f"h.{layer}.attn.c_attn", part(f"h.{layer}.ln_1", x, True)).split(8, -1)
        query, key, value = (tensor.unflatten(-1, (2, 4)).transpose(1, 2) for tensor in (q, k, v))
        y = F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).flatten(2)
        x = x + part(f"h.{layer}.attn.c_proj", y)
        inner = nn.GELU()(part(f"h.{layer}.mlp.c_fc", part(f"h.{layer}.ln_2", x, True)))
        x = x + part(f"h.{layer}.mlp.c_proj", inner)
    return F.linear(part("ln_f", x, True), state["lm_head.weight"])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_nanogpt_checkpoint_computes_what_nanogpt_does(tmp_path: Path, bias: bool, compiled: bool) -> None:
    state = nanogpt_state(bias)
    prefix = "_orig_mod." if compiled else ""
    (tmp_path / "mine").mkdir()
    saved = {
        "model": {prefix + name: tensor for name, tensor in state.items()},
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}},
        "model_args": {**ARGUMENTS, "bias": bias},
        "iter_num": 3,
    }
    torch.save(saved, tmp_path / "mine" / "ckpt.pt")
    loaded = load(tmp_path / "mine" / "ckpt.pt")
    assert loaded.entry.id == "mine"
    tokens = torch.tensor([[1, 5, 9, 0, 2]])
    torch.testing.assert_close(loaded.model(tokens), nanogpt_logits(state, tokens), rtol=1e-4, atol=1e-4)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must never be printed",))


def test_a_pickle_that_is_not_tensors_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"model": Bomb(), "model_args": ARGUMENTS}, tmp_path / "ckpt.pt")
    assert "more than tensors" in complaint(tmp_path / "ckpt.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Bomb()))
    assert "torch.save" in complaint(tmp_path / "bare.pt")
    assert "never" not in capsys.readouterr().out


def test_a_checkpoint_of_something_else(tmp_path: Path) -> None:
    torch.save({"weights": torch.ones(3)}, tmp_path / "x.pt")
    assert "no nanoGPT checkpoint" in complaint(tmp_path / "x.pt")
    state = nanogpt_state(True)
    del state["transformer.h.1.ln_2.weight"]
    torch.save({"model": state, "model_args": ARGUMENTS}, tmp_path / "y.pt")
    assert "missing h.1.ln_2.weight" in complaint(tmp_path / "y.pt")


def write_sharded(folder: Path) -> Transformer:
    folder.mkdir()
    model = Transformer(LLAMA)
    model.initialise(0)
    state = export_state(model, torch.float32)
    names = sorted(state)
    parts = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    for file, held in parts.items():
        save_file({name: state[name] for name in held}, folder / file)
    index = {name: file for file, held in parts.items() for name in held}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps(export_config(LLAMA, None)))
    return model


def test_sharded_folders_are_read_and_their_gaps_named(tmp_path: Path) -> None:
    written = write_sharded(tmp_path / "split")
    tokens = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(load(tmp_path / "split").model(tokens), written(tokens), rtol=0, atol=1e-5)
    (tmp_path / "split" / "model-2-of-2.safetensors").unlink()
    assert "model-2-of-2.safetensors does not exist" in complaint(tmp_path / "split")
    (tmp_path / "split" / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../etc/passwd"}}')
    assert "no index" in complaint(tmp_path / "split")


def test_pickled_weights_are_refused_with_a_way_out(tmp_path: Path) -> None:
    write_sharded(tmp_path / "old")
    for path in (tmp_path / "old").glob("model*"):
        path.unlink()
    (tmp_path / "old" / "pytorch_model.bin").write_bytes(b"x")
    assert "save_pretrained" in complaint(tmp_path / "old")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hidden_size": 10**9}, "d_model"),
        ({"num_hidden_layers": 10**6}, "layers is 1000000"),
        ({"num_key_value_heads": 3}, "cannot share"),
        ({"hidden_act": "xielu"}, "'xielu'"),
        ({"rope_parameters": {"rope_type": "longrope"}}, "'longrope'"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "lacks 'factor'"),
        ({"rope_parameters": {"full": {"rope_type": "default"}}}, "differ between layers"),
        ({"mlp_bias": True}, "mlp_bias"),
    ],
)
def test_configurations_that_are_refused_before_memory_is_taken(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    write_sharded(tmp_path / "split")
    path = tmp_path / "split" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    assert expected in complaint(tmp_path / "split")


def test_models_that_nothing_uses_make_room_for_others(tmp_path: Path) -> None:
    for name in "abc":
        write_sharded(tmp_path / name)
    size = load(tmp_path / "a").nbytes
    catalog = Catalog(tmp_path / "none", [tmp_path / name for name in "abc"], limit_bytes=2 * size)
    dropped, used = list[str](), {"a"}
    catalog.watch(lambda model_id: model_id in used, dropped.append)
    for name in "abc":
        catalog.load(name)
    assert dropped == ["b"] and catalog.is_loaded("a") and catalog.is_loaded("c")
    used.add("c")
    with pytest.raises(CheckpointError, match="no room for b"):
        catalog.load("b")
    small = Catalog(tmp_path / "none", [tmp_path / "a"], limit_bytes=10)
    with pytest.raises(CheckpointError, match="more than"):
        small.load("a")


def test_tokenizers_rebuilt_from_gguf() -> None:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "b", "▁a", "ab", "▁ab"]
    scores = [0.0] * 259 + [-5.0, -6.0, -7.0, -2.0, -3.0, -1.0]
    kinds = [2, 3, 3] + [6] * 256 + [1] * 6
    pieces: dict[str, Any] = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": kinds,
    }
    library = tokenizer_of(pieces)
    assert library.encode("ab ab", add_special_tokens=False).tokens == ["▁ab", "▁ab"]
    assert library.encode("é", add_special_tokens=False).tokens == ["▁", "<0xC3>", "<0xA9>"]
    assert library.decode(library.encode("ab aé", add_special_tokens=False).ids) == "ab aé"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"tokens": []}, "holds no tokenizer"),
        ({"model": "bert"}, "kind 'bert'"),
        ({"model": "gpt2", "pre": "new-one"}, "'new-one'"),
        ({"model": "gpt2"}, "'default'"),
        ({"model": "gpt2", "pre": "smollm"}, ""),
        ({"model": "llama"}, ""),
    ],
)
def test_a_tokenizer_of_an_unknown_kind_is_named(named: dict[str, Any], said: str) -> None:
    given = {"tokens": ["a"], **named}
    why = why_not({f"tokenizer.ggml.{key}": value for key, value in given.items()})
    assert said in why and bool(said) == bool(why)
