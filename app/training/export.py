"""From a training checkpoint to a bundled model: the Hugging Face layout, and a loss curve for its card."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ..checkpoints.huggingface import export_config, export_state
from ..transformer.model import Transformer
from ..transformer.spec import Spec


def export_model(
    training: Path,
    folder: Path,
    spec: Spec,
    about: dict[str, Any],
    dtype: torch.dtype = torch.float32,
    **more: int | None,
) -> None:
    """Write `config.json`, `model.safetensors`, `tokenizer.json`, `atlas.json` and `training.jsonl` to `folder`.

    `more` are entries of the configuration beside the architecture, such as a padding token.
    """
    model = Transformer(spec)
    saved = load_file(training / "checkpoint.safetensors")
    model.load_state_dict(
        {key.removeprefix("model."): value for key, value in saved.items() if key.startswith("model.")}
    )
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "model.safetensors"
    save_file(export_state(model, dtype), weights, {"format": "pt"})
    weights.chmod(0o644)  # the library writes for the owner alone; a server may be someone else
    _write_json(folder / "config.json", export_config(spec, about.get("end_of_text_id"), **more))
    _write_json(folder / "atlas.json", about)
    shutil.copyfile(training / "tokenizer.json", folder / "tokenizer.json")
    shutil.copyfile(training / "log.jsonl", folder / "training.jsonl")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
