"""Loading models: what good files give, and what is said of each kind of bad one."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.checkpoints.catalog import Catalog, LoadedModel
from app.checkpoints.errors import CheckpointError
from app.checkpoints.huggingface import export_config, export_state
from app.paths import MODELS
from app.transformer.model import Transformer
from app.transformer.spec import Spec
from app.transformer.tokenizer import TokenizeError

SPEC = Spec(layers=2, heads=2, d_model=8, d_head=4, d_mlp=12, d_vocab=10, positions=6)
UNTIED = Spec(layers=1, heads=2, d_model=8, d_head=4, d_mlp=12, d_vocab=10, positions=6, tied=False)


def write_model(folder: Path, spec: Spec = SPEC, dtype: torch.dtype = torch.float32) -> Transformer:
    folder.mkdir()
    model = Transformer(spec)
    model.initialise(0)
    save_file(export_state(model, dtype), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(export_config(spec, None)))
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "tiny")
    return tmp_path / "tiny"


def load(folder: Path, dtype: torch.dtype = torch.float32) -> LoadedModel:
    return Catalog(folder.parent / "none", [folder], dtype=dtype).load(folder.name)


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in config.items() if value != "remove"}))


def change_weights(folder: Path, changes: dict[str, torch.Tensor], remove: tuple[str, ...] = ()) -> None:
    path = folder / "model.safetensors"
    tensors = {key: value.clone() for key, value in load_file(path).items()} | changes
    save_file({key: value for key, value in tensors.items() if key not in remove}, path)


def complaint(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("spec", [SPEC, UNTIED])
def test_what_was_written_is_read(tmp_path: Path, spec: Spec) -> None:
    written = write_model(tmp_path / "tiny", spec)
    loaded = load(tmp_path / "tiny")
    assert loaded.spec == spec
    tokens = torch.tensor([[1, 2, 3]])
    # an unembedding of its own lies transposed in the file, and is multiplied in another order
    torch.testing.assert_close(loaded.model(tokens), written(tokens), rtol=0, atol=1e-6)


def test_names_without_prefix_and_old_mask_buffers_are_read_too(folder: Path) -> None:
    expected = load(folder).model(torch.tensor([[1, 2]]))
    path = folder / "model.safetensors"
    tensors = {key.removeprefix("transformer."): value.clone() for key, value in load_file(path).items()}
    tensors["h.0.attn.bias"], tensors["h.0.attn.masked_bias"] = torch.ones(1, 1, 6, 6), torch.tensor(-1e4)
    tensors["lm_head.weight"] = tensors["wte.weight"].clone()
    save_file(tensors, path)
    assert torch.equal(load(folder).model(torch.tensor([[1, 2]])), expected)


def test_half_precision_files_are_widened(tmp_path: Path) -> None:
    write_model(tmp_path / "half", dtype=torch.float16)
    assert load(tmp_path / "half").model.W_E.dtype == torch.float32


def test_numbers_of_another_precision_have_another_fingerprint(folder: Path) -> None:
    wide, again, narrow = load(folder), load(folder), load(folder, torch.bfloat16)
    assert wide.fingerprint == again.fingerprint != narrow.fingerprint


def test_a_model_without_tokenizer_or_description_runs_on_ids(folder: Path) -> None:
    loaded = load(folder)
    assert (loaded.entry.title, loaded.entry.card, loaded.entry.bundled) == ("tiny", None, False)
    assert loaded.tokenizer.tokens([3])[0].text == "#3"
    with pytest.raises(TokenizeError):
        loaded.tokenizer.encode("text")


def test_the_catalog_lists_without_reading_weights(folder: Path) -> None:
    size = (folder / "model.safetensors").stat().st_size
    (folder / "model.safetensors").write_bytes(b"x" * size)
    catalog = Catalog(MODELS, [folder])
    assert {"sort", "stories"} < {entry.id for entry in catalog.entries()}
    assert catalog.entry("tiny").size_bytes == size
    assert catalog.entry("stories").graph.parameter_count == 3_505_152
    assert catalog.entry("sort").graph.parameter_count == 85_584
    assert not catalog.is_loaded("tiny")


def test_many_threads_get_one_model(folder: Path) -> None:
    catalog, found = Catalog(folder.parent / "none", [folder]), []
    threads = [threading.Thread(target=lambda: found.append(catalog.load("tiny"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(loaded) for loaded in found}) == 1


def test_unknown_models_and_ids_given_twice(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Catalog(MODELS).load("nothing")
    (tmp_path / "other").mkdir()
    write_model(tmp_path / "other" / "tiny")
    with pytest.raises(CheckpointError, match="two models are called 'tiny'"):
        Catalog(MODELS, [folder, tmp_path / "other" / "tiny"])


def test_folders_that_hold_no_model(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        Catalog(MODELS, [tmp_path / "nowhere"])
    (folder / "model.safetensors").unlink()
    assert "model.safetensors does not exist" in complaint(folder)
    (folder / "config.json").unlink()
    assert "holds no model" in complaint(folder)


@pytest.mark.parametrize(
    ("text", "expected"), [("{", "is not JSON"), ("[1]", "no JSON object"), ("\ufeff", "is not JSON")]
)
def test_a_config_that_is_none(folder: Path, text: str, expected: str) -> None:
    (folder / "config.json").write_text(text, encoding="utf-8")
    assert expected in complaint(folder)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model_type": "mamba"}, "model_type 'mamba'"),
        ({"n_layer": "remove"}, "lacks 'n_layer'"),
        ({"n_layer": "three"}, "three"),
        ({"n_layer": 0}, "layers is 0"),
        ({"n_head": 3}, "not a multiple"),
        ({"n_embd": None}, "config.json"),
        ({"activation_function": "quick_gelu"}, "'quick_gelu'"),
        ({"activation_function": ["relu"]}, "activation"),
        ({"layer_norm_epsilon": "small"}, "small"),
        ({"scale_attn_by_inverse_layer_idx": "yes"}, "scale_attn_by_inverse_layer_idx"),
        ({"reorder_and_upcast_attn": "yes"}, "reorder_and_upcast_attn"),
        ({"scale_attn_weights": 2}, "scale_attn_weights"),
    ],
)
def test_configs_that_are_not_supported(folder: Path, changes: dict[str, Any], expected: str) -> None:
    change_config(folder, **changes)
    assert expected in complaint(folder)


def test_every_misfit_of_the_weights_is_named(folder: Path) -> None:
    change_weights(
        folder,
        {"transformer.h.0.ln_1.weight": torch.ones(3), "surplus": torch.ones(1)},
        remove=("transformer.h.1.mlp.c_fc.bias",),
    )
    said = complaint(folder)
    assert "missing h.1.mlp.c_fc.bias" in said
    assert "extra surplus" in said
    assert "h.0.ln_1.weight has shape [3], not [8]" in said


def test_a_config_of_another_model(folder: Path) -> None:
    change_config(folder, n_layer=3)
    assert "missing h.2.attn.c_attn.bias" in complaint(folder)


def test_numbers_that_are_no_fractions(folder: Path) -> None:
    change_weights(folder, {"transformer.ln_f.bias": torch.zeros(8, dtype=torch.int64)})
    assert "ln_f.bias holds I64" in complaint(folder)


def test_a_head_that_is_not_tied_as_the_config_says(folder: Path) -> None:
    change_weights(folder, {"lm_head.weight": torch.zeros(10, 8)})
    assert "lm_head.weight differs from wte.weight" in complaint(folder)


@pytest.mark.parametrize("kept", [0, 5, 40, -16])
def test_a_truncated_weights_file(folder: Path, kept: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert "broken or not a safetensors file" in complaint(folder)


def test_garbage_in_place_of_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x04not weights" * 100)
    assert "broken or not a safetensors file" in complaint(folder)


def test_garbage_in_place_of_tokenizer_and_description(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    assert "is not a tokenizer.json" in complaint(folder)
    (folder / "atlas.json").write_text("{")
    assert "atlas.json is not JSON" in complaint(folder)


def test_bad_values_in_the_description(folder: Path) -> None:
    (folder / "atlas.json").write_text('{"default_new_tokens": "many"}')
    assert "atlas.json" in complaint(folder)
    (folder / "atlas.json").write_text('{"prefix_ids": 3}')
    assert "atlas.json" in complaint(folder)
