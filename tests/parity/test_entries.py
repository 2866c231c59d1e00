"""Entries of configurations that change the reference's numbers: the short list of what ever differed.

`python -m tests.parity.entries` tries all of them, some 1,500 changes, in some minutes; what it finds is put here.
"""

import pathlib
from typing import Any

import pytest

from .entries import FAMILIES, Change, Family

pytestmark = pytest.mark.parity

_ROTARY = ("llama", "mistral", "qwen2", "qwen3", "gemma")
_CHANGES: dict[str, list[tuple[str, Any]]] = {
    **{name: [("partial_rotary_factor", 0.5), ("rotary_pct", 0.5)] for name in _ROTARY},
    "gpt_neox": [("partial_rotary_factor", 0.5), ("rotary_pct", 0.5), ("rotary_emb_base", 50.0), ("head_dim", 1)],
    "gemma": [
        ("partial_rotary_factor", 0.5),
        ("hidden_act", "relu"),
        ("hidden_act", "gelu"),
        ("hidden_activation", "relu"),
    ],
    "t5": [
        ("dense_act_fn", "gelu"),
        ("feed_forward_proj", "silu"),
        ("is_gated_act", True),
        ("tie_word_embeddings", False),
        ("scale_decoder_outputs", False),
    ],
    "phi": [("partial_rotary_factor", 1.0), ("rotary_pct", 1.0)],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("entries")


@pytest.mark.parametrize("model_type", FAMILIES)
def test_what_an_entry_changes_of_the_reference_it_changes_here(folder: pathlib.Path, model_type: str) -> None:
    family = Family(model_type, folder)
    for name, value in [("is_causal", False), *_CHANGES.get(model_type, [])]:
        verdict = family.verdict(Change(name, value))
        assert verdict.what in ("same", "refused alone", "no reference"), f"{verdict.change}: {verdict.detail}"
