"""Folders and files as people have them: wrappers' names, old names, tied pairs, and refusals that say what it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM

from app.checkpoints.catalog import Catalog
from app.checkpoints.errors import CheckpointError
from app.transformer.model import Transformer
from tests.conftest import TINY, write_model
from tests.parity.reference import SIZES

TIED = TINY.__class__(**{**TINY.__dict__, "tied": True})


def _model(path: Path) -> Transformer:
    catalog = Catalog(path.parent / "none", [path])
    return catalog.load(catalog.entries()[0].id).model


def _rename(folder: Path, name_of: Callable[[str], str]) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({name_of(name): tensor for name, tensor in tensors.items()}, folder / "model.safetensors")


def _logits(path: Path) -> Tensor:
    logits: Tensor = _model(path)(torch.tensor([[3, 1, 4, 1, 5]]))
    return logits


@pytest.mark.parametrize("wrapper", ["_orig_mod.", "module.", "base_model.model.", "module._orig_mod."])
def test_what_a_wrapper_puts_before_every_name_is_taken_away(tmp_path: Path, wrapper: str) -> None:
    folder = write_model(tmp_path / "wrapped", TINY)
    expected = _logits(folder)
    _rename(folder, lambda name: wrapper + name)
    assert torch.equal(_logits(folder), expected)


def test_norms_may_have_the_names_that_berts_first_files_have(tmp_path: Path) -> None:
    folder = tmp_path / "bert"
    torch.manual_seed(0)
    BertForMaskedLM(BertConfig(**SIZES)).save_pretrained(folder)
    expected = _logits(folder)
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    _rename(
        folder,
        lambda name: next((name.removesuffix(new) + was for new, was in old.items() if name.endswith(new)), name),
    )
    assert any(name.endswith("LayerNorm.gamma") for name in load_file(folder / "model.safetensors"))
    assert torch.equal(_logits(folder), expected)


def test_a_tied_pair_may_lie_under_either_name(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tied", TIED)
    expected = _logits(folder)
    _rename(folder, lambda name: "lm_head.weight" if name.endswith("wte.weight") else name)
    assert torch.equal(_logits(folder), expected)


def test_a_folder_of_the_hubs_cache_is_its_newest_snapshot(tmp_path: Path) -> None:
    cache = tmp_path / "models--owner--tiny"
    write_model(cache / "snapshots" / "abc", TINY)
    write_model(cache / "snapshots" / "old", TINY, seed=5)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    assert torch.equal(_logits(cache), _logits(cache / "snapshots" / "abc"))


def quantised(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "awq", "bits": 4}
    (folder / "config.json").write_text(json.dumps(config))
    return r"its weights are quantised \(awq\)"


def adapter(folder: Path) -> str:
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "owner/base"}))
    return "an adapter, only what was changed of the model 'owner/base'"


def pointer(folder: Path) -> str:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    return "a Git LFS pointer"


def another_name(folder: Path) -> str:
    (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
    return "no model.safetensors, but model.fp16.safetensors"


@pytest.mark.parametrize("make", [quantised, adapter, pointer, another_name])
def test_a_refusal_says_what_lies_there(tmp_path: Path, make: Callable[[Path], str]) -> None:
    folder = write_model(tmp_path / "tiny", TINY)
    said = make(folder)
    with pytest.raises(CheckpointError, match=said) as refusal:
        _model(folder)
    assert refusal.value.hint
    assert "that belongs to the weights" not in refusal.value.hint
