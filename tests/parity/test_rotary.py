"""Rotary positions as configurations of every age say them, beside `transformers` reading the same folder.

Before its version 5 `transformers` wrote `rope_theta` and `rope_scaling` (GPT-NeoX: `rotary_pct` and
`rotary_emb_base`), since then `rope_parameters`. Files in both forms are about.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from app.checkpoints.errors import CheckpointError

from .reference import POSITIONS, compare, load, random_tokens, saved
from .test_decoders import DECODERS

pytestmark = pytest.mark.parity

_NEW = ("rope_parameters", "partial_rotary_factor", "rope_theta", "rope_scaling")
_LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8}
_YARN = {"factor": 4.0, "original_max_position_embeddings": 6}
# What a configuration says, by family; the same numbers turned in the old form and in the new one.
FORMS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "plain": (
        "llama",
        {"rope_theta": 300.0, "rope_scaling": None},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0}},
    ),
    "linear": (
        "llama",
        {"rope_theta": 300.0, "rope_scaling": {"type": "linear", "factor": 3.0}},
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 300.0, "factor": 3.0}},
    ),
    "dynamic": (
        "llama",
        {"rope_theta": 300.0, "rope_scaling": {"type": "dynamic", "factor": 3.0}},
        {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 300.0, "factor": 3.0}},
    ),
    "llama3": (
        "llama",
        {"rope_theta": 300.0, "rope_scaling": {"rope_type": "llama3", **_LLAMA3}},
        {"rope_parameters": {"rope_type": "llama3", "rope_theta": 300.0, **_LLAMA3}},
    ),
    "yarn, as Qwen writes it": (
        "qwen2",
        {"rope_theta": 300.0, "rope_scaling": {"type": "yarn", **_YARN}},
        {"rope_parameters": {"rope_type": "yarn", "rope_theta": 300.0, **_YARN}},
    ),
    "yarn, the original length beside it": (
        "qwen3",
        {"rope_theta": 300.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0},
         "original_max_position_embeddings": 6},
        {"rope_parameters": {"rope_type": "yarn", "rope_theta": 300.0, **_YARN}},
    ),
    "yarn, no original length": (
        "llama",
        {"rope_theta": 300.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}},
        {"rope_parameters": {"rope_type": "yarn", "rope_theta": 300.0, "factor": 4.0}},
    ),
    "a part of each head": (
        "phi",
        {"rope_theta": 300.0, "partial_rotary_factor": 0.75},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0, "partial_rotary_factor": 0.75}},
    ),
    "a part of each head, GPT-NeoX": (
        "gpt_neox",
        {"rotary_pct": 0.5, "rotary_emb_base": 300},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0, "partial_rotary_factor": 0.5}},
    ),
    "nothing said, GPT-NeoX": (
        "gpt_neox",
        {},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.25}},
    ),
    "nothing said, Llama": ("llama", {}, {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0}}),
}  # fmt: skip


def _say(folder: Path, said: dict[str, Any]) -> None:
    """Let the configuration say this of its rotary positions, and nothing else."""
    path = folder / "config.json"
    config = {name: value for name, value in json.loads(path.read_text()).items() if name not in _NEW}
    path.write_text(json.dumps(config | said))


@pytest.mark.parametrize("name", FORMS)
def test_both_forms_turn_as_in_transformers(tmp_path: Path, name: str) -> None:
    family, old, new = FORMS[name]
    folder = tmp_path / "random"
    saved(folder, DECODERS[family])
    specs = []
    for said in (old, new):
        _say(folder, said)
        reader: Any = AutoModelForCausalLM
        reference = reader.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
        loaded = load(folder)
        compare(loaded, reference, random_tokens(POSITIONS))
        specs.append(loaded.spec)
    assert specs[0] == specs[1]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"rope_scaling": {"type": "su", "factor": 2.0}}, "'su'"),
        ({"rope_scaling": {"rope_type": "longrope", "short_factor": [1.0]}}, "'longrope'"),
        ({"rope_scaling": {"type": "mrope", "mrope_section": [1, 1]}}, "'mrope'"),
        ({"rope_scaling": {"type": "yarn", **_YARN, "truncate": False}}, "truncate is False"),
        ({"rope_scaling": {"type": "linear", "factor": 0.5}}, "factor is 0.5"),
        ({"rope_scaling": {"type": "llama3", "factor": 8.0}}, "lacks 'low_freq_factor'"),
        ({"rope_scaling": "linear"}, "rope_scaling is 'linear'"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, said: dict[str, Any], expected: str) -> None:
    folder = tmp_path / "random"
    saved(folder, DECODERS["llama"])
    _say(folder, said)
    with pytest.raises(CheckpointError, match=expected) as caught:
        load(folder)
    assert caught.value.hint
