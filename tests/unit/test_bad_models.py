"""Models that cannot be: each is named, with what to do, and none is in the catalog or costs memory."""

import json
import pickle
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from gguf import GGUFWriter

from app.checkpoints.catalog import Catalog
from app.checkpoints.entry import check_model
from app.checkpoints.errors import CheckpointError
from app.checkpoints.gguf_tokenizer import tokenizer_of
from app.server import create_app
from app.settings import Settings
from app.transformer.tokenizer import TokenizeError
from tests.conftest import TINY, write_model
from tests.unit.test_formats import LLAMA


class _Program:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return print, ("a program ran",)


def say(folder: Path, **changes: Any) -> None:
    """Change what a configuration says."""
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changes))


def pickled_program(folder: Path) -> str:
    """Write what is no tensor, but a program that unpickling would run."""
    folder.mkdir()
    torch.save({"model": _Program(), "model_args": {}}, folder / "ckpt.pt", pickle_module=pickle)
    return "more than tensors"


def unknown_quantisation(folder: Path) -> str:
    """Write numbers in blocks of a kind that nobody knows."""
    folder.mkdir()
    writer = GGUFWriter(folder / "tiny.gguf", "gpt2")
    for name, value in {"block_count": 1, "context_length": 8, "embedding_length": 4, "feed_forward_length": 8}.items():
        writer.add_uint32(f"gpt2.{name}", value)
    writer.add_head_count(2)
    writer.add_tensor("token_embd.weight", torch.ones(5, 4).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    path = folder / "tiny.gguf"
    content, named = path.read_bytes(), b"token_embd.weight"
    kind = content.index(named) + len(named) + 4 + 2 * 8  # after the count of axes and the axes
    path.write_bytes(content[:kind] + struct.pack("<I", 177) + content[kind + 4 :])
    return "unknown kind 177"


def absurd_sizes(folder: Path) -> str:
    """Write a configuration that would take 130 billion numbers."""
    write_model(folder, TINY)
    config = folder / "config.json"
    config.write_text(
        json.dumps(json.loads(config.read_text()) | {"vocab_size": 2_000_000, "n_embd": 65_536, "n_head": 16})
    )
    return "not [65536]"


def impossible_sizes(folder: Path) -> str:
    """Write sizes that no model has."""
    write_model(folder, TINY)
    say(folder, vocab_size=10**12)
    return "d_vocab is 1000000000000"


def half_downloaded(folder: Path) -> str:
    """Write the first half of the weights."""
    write_model(folder, TINY)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    return "broken or not a safetensors file"


def unknown_family(folder: Path) -> str:
    """Write an architecture that is not a transformer."""
    write_model(folder, TINY)
    say(folder, model_type="mamba")
    return "'mamba'"


FAULTS = [pickled_program, unknown_quantisation, absurd_sizes, impossible_sizes, half_downloaded, unknown_family]


@pytest.mark.parametrize("spoil", FAULTS)
def test_what_cannot_be_loaded_is_named_and_not_in_the_catalog(
    tmp_path: Path, spoil: Callable[[Path], str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    said = spoil(tmp_path / "data" / "bad")
    write_model(tmp_path / "data" / "good", TINY)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    catalog = Catalog(tmp_path / "none", pulled=tmp_path / "data")
    assert [entry.id for entry in catalog.entries()] == ["good"]
    (problem,) = catalog.problems
    assert said in str(problem) and "bad" in str(problem) and problem.hint
    with pytest.raises(CheckpointError, match="bad"):
        check_model(tmp_path / "data" / "bad")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB
    assert "a program ran" not in capsys.readouterr().out


def test_a_token_that_the_model_has_no_row_for_is_refused_and_the_model_is_not(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", TINY)
    tokens = [chr(97 + number) for number in range(TINY.d_vocab + 1)]
    tokenizer_of({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": tokens}).save(str(folder / "tokenizer.json"))
    check_model(folder)
    tokenizer = Catalog(tmp_path / "none", [folder]).load("tiny").tokenizer
    assert [token.id for token in tokenizer.encode("abc")] == [0, 1, 2]
    with pytest.raises(TokenizeError, match=rf"number {TINY.d_vocab} of the vocabulary; the model has only"):
        tokenizer.encode("a" + tokens[-1])


def test_a_table_too_long_for_memory_is_refused_before_it_is_made(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "long", LLAMA)
    say(folder, max_position_embeddings=16_000_000)
    catalog = Catalog(tmp_path / "none", [folder], limit_bytes=10**8)
    with pytest.raises(CheckpointError, match=r"long needs 0\.51 GB, more than the 0\.1 GB"):
        catalog.load("long")


def test_a_whole_model_without_room_is_not_called_broken(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", TINY)
    with TestClient(create_app(Settings(models=[folder], model_bytes=1_000)), base_url="http://localhost") as client:
        answer = client.post("/api/v1/runs", json={"model": "tiny", "tokens": [1]})
    assert answer.status_code == 503 and answer.json()["error"]["type"] == "no_room"
    assert (
        "more than the" in answer.json()["error"]["message"] and "ATLAS_MODEL_BYTES" in answer.json()["error"]["hint"]
    )
