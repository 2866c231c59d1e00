"""Every entry of a model's JSON files set to values of every type, one at a time: a refusal, or a model that runs.

The exceptions of the libraries that read the files are none of the answers.
"""

import copy
import json
import os
import random
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from gguf import GGUFValueType, GGUFWriter

from app.checkpoints.catalog import Catalog
from app.checkpoints.entry import check_model
from app.checkpoints.errors import CheckpointError
from app.checkpoints.gguf_tokenizer import tokenizer_of
from app.checkpoints.rendering import Renderer
from app.runs.executor import Executor
from app.runs.run import Run
from app.server import create_app
from app.settings import Settings
from app.transformer.decoding import Sampling
from app.transformer.tokenizer import TokenizeError
from tests.conftest import write_model
from tests.families import FAMILIES

# What an entry is set to: every type of JSON, and numbers that are none.
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 3, 10**18, 1e300, 0.5, float("nan"), float("inf"), "", "x", "\ud800", [], [1, 2], ["x", None],
    [[]], {}, {"a": 1}, {"1": {"content": 5}},
)  # fmt: skip
_LETTERS = "abcdefghijklmnopq"
_SEED = 20
_BEYOND = {
    "generation_config.json": {
        "eos_token_id": [1, 2], "bos_token_id": 1, "bad_words_ids": [[3]], "sequence_bias": [[[4], 1.0]],
        "suppress_tokens": [5], "forced_bos_token_id": 1, "exponential_decay_length_penalty": [3, 1.1],
        "min_length": 1, "repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "decoder_start_token_id": 0,
    },
    "tokenizer_config.json": {
        "bos_token": "a", "eos_token": {"content": "b", "lstrip": False}, "split_special_tokens": False,
        "chat_template": [{"name": "default", "template": "{{ messages[0].content }}"}],
        "added_tokens_decoder": {"0": {"content": "a", "special": True}}, "extra_special_tokens": ["c"],
    },
    "special_tokens_map.json": {"unk_token": {"content": "d", "special": True}},
    "added_tokens.json": {"e": 4},
    "atlas.json": {
        "title": "t", "description": "d", "default_text": "ab", "prefix": "a", "suffix_ids": [1], "prefix_ids": [2],
        "start_ids": [0], "mask_id": 1, "end_of_text_id": 2, "default_temperature": 1, "default_new_tokens": 2,
    },
}  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List where every entry of a JSON value stands; of long lists the first two."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from _places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:2]):
            yield (*path, number)
            yield from _places(inner, (*path, number))


def _changed(values: Any, path: tuple[Any, ...], value: Any) -> Any:
    found = copy.deepcopy(values)
    inner = found
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return found


def _use(folder: Path) -> None:
    """Do everything that a server does with a model: list it, load it, read a text, run it."""
    catalog = Catalog(folder / "none", [folder], renderer=_renderer())
    entry = catalog.entry(folder.name)
    entry.check()
    json.dumps([entry.title, entry.description, entry.default_text, entry.default_new_tokens, entry.card])
    loaded, spec = catalog.load(folder.name), entry.spec
    try:
        read = loaded.tokenizer.encode("ab" if entry.has_tokenizer else "1 2")
    except TokenizeError:
        read = loaded.tokenizer.tokens([1])
    read = read[: spec.source_positions or spec.positions]
    start = loaded.tokenizer.tokens(entry.start_ids)
    prompt, source = (start or loaded.tokenizer.tokens([0]), read) if spec.encoder_layers else (read, ())
    run, ended = Run(loaded, prompt, min(2, spec.positions - len(prompt)), Sampling(), source=source), Event()
    run.listen(lambda event: ended.set() if event in ("done", "failed") else None)
    run.advance(_executor(), None)
    assert ended.wait(20)
    if run.failure is not None:
        raise RunFailed(run.failure)


class RunFailed(Exception):
    """A run that ended with a failure of the server."""


@cache
def _renderer() -> Renderer:
    return Renderer()


@cache
def _executor() -> Executor:
    return Executor(limit=2, threads=1)


def _outcome(folder: Path) -> str:
    """Tell whether the model runs or is refused, and how that is said; whatever else is raised goes on."""
    try:
        _use(folder)
    except CheckpointError as error:
        assert error.hint and len(str(error)) < 1000 and "\n" not in str(error)
        assert str(folder) in str(error)
        return "refused"
    return "runs"


def _tiny(family: str, folder: Path) -> Path:
    """Write a small model of a family with every file that may lie beside it."""
    spec = FAMILIES[family]
    write_model(folder, spec)
    tokenizer_of({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": list(_LETTERS)}).save(
        str(folder / "tokenizer.json")
    )
    for name, values in _BEYOND.items():
        (folder / name).write_text(json.dumps(values))
    return folder


def _every(folder: Path, name: str) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    """List every change of one of the folder's files: its name, the place, the value."""
    values = json.loads((folder / name).read_text())
    for place in _places(values):
        for value in _VALUES:
            yield name, place, value
    for value in _VALUES:
        yield name, (), value


def _try(folder: Path, name: str, place: tuple[Any, ...], value: Any) -> str:
    path = folder / name
    before = path.read_text()
    values = json.loads(before)
    try:
        path.write_text(json.dumps(_changed(values, place, value) if place else value))
        return _outcome(folder)
    except BaseException as error:
        pytest.fail(f"{name} {place} = {value!r}: {type(error).__name__}: {error}")
    finally:
        path.write_text(before)


@pytest.mark.parametrize("family", FAMILIES)
def test_any_entry_of_a_configuration_may_be_of_any_type(family: str, tmp_path: Path) -> None:
    folder = _tiny(family, tmp_path / family)
    assert _outcome(folder) == "runs"
    for change in _sample(folder, "config.json", 45):
        _try(folder, *change)


@pytest.mark.parametrize("name", ["tokenizer.json", *_BEYOND])
def test_any_entry_of_the_files_beside_it_may_be_of_any_type(name: str, tmp_path: Path) -> None:
    folder = _tiny("llama", tmp_path / "llama")
    for change in _sample(folder, name, 40):
        _try(folder, *change)


def _sample(folder: Path, name: str, count: int) -> list[tuple[str, tuple[Any, ...], Any]]:
    every = list(_every(folder, name))
    return random.Random(_SEED).sample(every, min(count, len(every)))


def test_numbers_with_which_nothing_can_be_computed_are_refused(tmp_path: Path) -> None:
    folder = _tiny("llama", tmp_path / "llama")
    for place in (("rms_norm_eps",), ("rope_parameters", "rope_theta")):
        for value in (float("nan"), float("inf"), -1):
            assert _try(folder, "config.json", place, value) == "refused", (place, value)


def _long_number(folder: Path) -> str:
    (folder / "config.json").write_text('{"zz": ' + "9" * 5000 + ', "model_type": "llama"}')
    return "config.json is not JSON that can be read"


def _long_family(folder: Path) -> str:
    (folder / "config.json").write_text(json.dumps({"model_type": "m" * 300_000}))
    return "says model_type 'mmm"


def _long_file_name(folder: Path) -> str:
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "n" * 5000}}))
    return "name too long"


def _deep_index(folder: Path) -> str:
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    (folder / "model.safetensors.index.json").write_text("[" * 100_000 + "]" * 100_000)
    return "model.safetensors.index.json"


def _latin_card(folder: Path) -> str:
    (folder / "card.md").write_bytes("Ein schönes Modell".encode("latin-1"))
    return "card.md is not UTF-8"


def _list_for_template(folder: Path) -> str:
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": [1, 2], "bos_token": [3]}))
    return ""


def _number_for_prefix(folder: Path) -> str:
    (folder / "atlas.json").write_text(json.dumps({"prefix": 5}))
    return "atlas.json: prefix is 5"


def _negative_prefix(folder: Path) -> str:
    (folder / "atlas.json").write_text(json.dumps({"prefix_ids": [-5]}))
    return "atlas.json: prefix_ids is [-5]"


def _word_for_an_end(folder: Path) -> str:
    (folder / "tokenizer.json").unlink()
    (folder / "atlas.json").write_text(json.dumps({"end_of_text_id": "x"}))
    return "atlas.json: end_of_text_id is 'x'"


_FAULTS = [_long_number, _long_family, _long_file_name, _deep_index, _latin_card, _list_for_template,
           _number_for_prefix, _negative_prefix, _word_for_an_end]  # fmt: skip


@pytest.mark.parametrize("spoil", _FAULTS)
def test_broken_files_are_named_and_the_server_serves_the_others(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    folder = _tiny("llama", tmp_path / "data" / "models" / "bad")
    said = spoil(folder)
    good = write_model(tmp_path / "data" / "models" / "good", FAMILIES["gpt2"])
    settings = Settings(data=tmp_path / "data", bundled_models=tmp_path / "none", default_model="good")
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        assert "good" in [model["id"] for model in client.get("/api/v1/models").json()["models"]]
        run = {"tokens": [1], "max_new_tokens": 1}
        assert client.post("/api/v1/runs", json={"model": good.name, **run}).status_code == 200
        answers = [client.get("/api/v1/models/bad"), client.post("/api/v1/runs", json={"model": "bad", **run})]
        assert not said or 503 in [answer.status_code for answer in answers]
        for answer in answers:
            assert answer.status_code in (200, 503), answer.text
            if answer.status_code == 503:
                error = answer.json()["error"]
                assert error["type"] == "broken_model" and said in error["message"] and error["hint"]
                assert len(error["message"]) < 1000
        assert client.get("/models/bad").status_code in (200, 503)


@pytest.mark.parametrize("fault", ["sparse", "meta"])
def test_tensors_without_plain_numbers_are_refused(tmp_path: Path, fault: str) -> None:
    spec = FAMILIES["gpt2"]
    tensor = torch.empty(17, 12, device="meta") if fault == "meta" else torch.eye(17, 12).to_sparse()
    sizes = {"n_layer": 2, "n_head": 3, "n_embd": 12, "vocab_size": spec.d_vocab, "block_size": 9}
    (tmp_path / "nano").mkdir()
    torch.save(
        {"model_args": sizes, "model": {"lm_head.weight": tensor, "transformer.wte.weight": torch.eye(17, 12)}},
        tmp_path / "nano" / "ckpt.pt",
    )
    with pytest.raises(CheckpointError, match=r"lm_head\.weight is kept"):
        check_model(tmp_path / "nano")


def test_a_panic_of_a_library_is_a_broken_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        """As the tokenizers library's: no Exception."""

    def panic(path: Path) -> None:
        raise Panic("index out of bounds")

    monkeypatch.setattr("app.checkpoints.huggingface.read_tokenizer", panic)
    folder = _tiny("llama", tmp_path / "llama")
    with pytest.raises(CheckpointError, match=r"llama cannot be read: Panic: index out of bounds"):
        check_model(folder)


def test_a_loop_of_links_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(CheckpointError, match=str(tmp_path / "a")):
        check_model(tmp_path / "a")


def test_an_architecture_that_is_a_list_and_metadata_nested_too_deep(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "list.gguf", "gpt2")
    writer.kv_data[0]["general.architecture"].value = ["gpt2"]
    writer.kv_data[0]["general.architecture"].type = GGUFValueType.ARRAY
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(CheckpointError, match=r"list\.gguf is of the architecture \['gpt2'\]"):
        check_model(tmp_path / "list.gguf")
    nested = struct.pack("<IQ", 9, 1) * 3000 + struct.pack("<IQ", 4, 0)
    name = b"general.architecture"
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(name)) + name + struct.pack("<I", 9)
    (tmp_path / "deep.gguf").write_bytes(head + nested)
    with pytest.raises(CheckpointError, match=r"deep\.gguf cannot be read: it is nested too deeply"):
        check_model(tmp_path / "deep.gguf")


def test_files_that_may_not_be_read_are_said_to_be_so() -> None:
    """Without root's rights; the folder lies where everybody may go."""
    place = Path(tempfile.mkdtemp(prefix="atlas-permission-"))
    place.chmod(0o755)
    folder = _tiny("gpt2", place / "tiny")
    assert _outcome(folder) == "runs"  # whatever is imported late is imported now
    was = os.geteuid()
    try:
        if was == 0:
            os.seteuid(65534)
        for name in ("model.safetensors", "config.json", "card.md", "tokenizer.json", "generation_config.json"):
            os.seteuid(was)
            path = folder / name
            path.touch()
            path.chmod(0)
            if was == 0:
                os.seteuid(65534)
            with pytest.raises(CheckpointError, match=rf"(?i){name}.*permission denied"):
                check_model(folder)
            os.seteuid(was)
            path.chmod(0o644)
        folder.chmod(0)
        if was == 0:
            os.seteuid(65534)
        with pytest.raises(CheckpointError, match=r"(?i)permission denied"):
            check_model(folder)
    finally:
        os.seteuid(was)
        shutil.rmtree(place, ignore_errors=True)
