"""Every family of encoders beside `transformers` on the same weights, padded and unpadded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    BertConfig,
    BertForMaskedLM,
    CamembertConfig,
    CamembertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from app.settings import Settings
from tests.conftest import serving

from .reference import (
    D_VOCAB,
    HIDDEN,
    LENGTHS,
    POSITIONS,
    SIZES,
    close,
    compare,
    compare_series,
    random_tokens,
    record,
    saved,
)

pytestmark = pytest.mark.parity

_DISTILLED: dict[str, Any] = {"vocab_size": D_VOCAB, "dim": 32, "hidden_dim": 48, "n_layers": 3, "n_heads": 4}
ENCODERS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertForMaskedLM(BertConfig(**SIZES)),
    "bert, relu": lambda: BertForMaskedLM(BertConfig(**SIZES, hidden_act="relu", layer_norm_eps=1e-3)),
    # Its positions are counted from two.
    "roberta": lambda: RobertaForMaskedLM(
        RobertaConfig(**SIZES | {"max_position_embeddings": POSITIONS + 2}, type_vocab_size=1)
    ),
    "xlm-roberta": lambda: XLMRobertaForMaskedLM(
        XLMRobertaConfig(**SIZES | {"max_position_embeddings": POSITIONS + 2}, type_vocab_size=1)
    ),
    "camembert": lambda: CamembertForMaskedLM(
        CamembertConfig(**SIZES | {"max_position_embeddings": POSITIONS + 2}, type_vocab_size=1)
    ),
    "distilbert": lambda: DistilBertForMaskedLM(DistilBertConfig(**_DISTILLED, max_position_embeddings=POSITIONS)),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_every_number_equals_the_references(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", ENCODERS[name])
    assert loaded.spec.positions == POSITIONS
    for length in LENGTHS:
        compare(loaded, reference, random_tokens(length, seed=length))


@pytest.mark.parametrize("name", ENCODERS)
def test_padding_changes_nothing_of_the_text(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", ENCODERS[name])
    short, long = 6, 15
    tokens = random_tokens(long, batch=2)
    tokens[0, short:] = 1  # RoBERTa tells positions by its padding token
    shown = torch.ones(2, long, dtype=torch.long)
    shown[0, short:] = 0
    with torch.no_grad():
        expected = reference(tokens, attention_mask=shown, **HIDDEN)
    seen = record(loaded, tokens, padding=shown == 0)

    def text_of_both(tensor: Tensor) -> Tensor:
        # hidden states [batch, pos, d_model], attentions [batch, head, query_pos, key_pos]
        rows = tensor if tensor.dim() == 3 else tensor.transpose(1, 2)
        return torch.cat([rows[0, :short], rows[1]])

    for series in ("hidden_states", "attentions"):
        compare_series(loaded, seen, expected, series, text_of_both)
    close(text_of_both(seen["logits"]), text_of_both(expected.logits), "logits")
    alone = loaded.model(tokens[:1, :short])[0]
    close(seen["logits"][0, :short], alone, "logits beside those without padding")


def test_two_kinds_of_text(tmp_path: Path) -> None:
    reference, loaded = saved(tmp_path / "random", ENCODERS["bert"])
    tokens = random_tokens(9)
    kinds = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1, 1]])
    with torch.no_grad():
        expected = reference(tokens, token_type_ids=kinds, **HIDDEN)
    seen = record(loaded, tokens, types=kinds)
    for series in ("hidden_states", "attentions"):
        compare_series(loaded, seen, expected, series)
    close(seen["logits"], expected.logits, "logits")


def test_a_padding_token_that_shifts_positions_is_refused_inside_a_text(tmp_path: Path) -> None:
    saved(tmp_path / "random", ENCODERS["roberta"])
    settings = Settings(bundled_models=tmp_path / "none", models=[tmp_path / "random"], default_model="random")
    with serving(settings) as server:
        answer = server.client.post("/runs", json={"model": "random", "tokens": [5, 1, 6]})
        assert answer.status_code == 422 and "is the padding of random" in answer.json()["error"]["message"]
        assert server.client.post("/runs", json={"model": "random", "tokens": [5, 6]}).status_code < 300
