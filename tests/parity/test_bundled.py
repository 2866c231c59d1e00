"""The bundled models that fill in and translate, read by `transformers` too: the same logits, the same French."""

from typing import Any

import pytest
import torch
from transformers import BertForMaskedLM, MarianMTModel

from app.checkpoints.catalog import Catalog, LoadedModel
from app.paths import MODELS

from .reference import close, write_greedily

pytestmark = pytest.mark.parity


def both(name: str, reader: Any) -> tuple[LoadedModel, Any]:
    """Load the model as we do, and as `transformers` does, in float32."""
    reference = reader.from_pretrained(MODELS / name, dtype=torch.float32).eval()
    return Catalog(MODELS).load(name), reference


def ids_of(loaded: LoadedModel, text: str) -> torch.Tensor:
    return torch.tensor([[token.id for token in loaded.tokenizer.encode(text)]])


def test_fill_names_the_word_that_bert_names() -> None:
    loaded, reference = both("fill", BertForMaskedLM)
    tokens = ids_of(loaded, "Once upon a [MASK], there was a little girl named Lily.")
    assert loaded.tokenizer.mask_id in tokens
    with torch.no_grad():
        close(loaded.model(tokens), reference(tokens).logits)


@pytest.mark.parametrize(
    ("text", "pronoun"),
    [
        ("The animal didn't cross the street because it was too tired.", "il"),
        ("The animal didn't cross the street because it was too wide.", "elle"),
    ],
)
def test_translate_writes_what_marian_writes(text: str, pronoun: str) -> None:
    loaded, reference = both("translate", MarianMTModel)
    source, start = ids_of(loaded, text), torch.tensor([loaded.entry.start_ids])
    with torch.no_grad():
        close(loaded.model(start, source), reference(input_ids=source, decoder_input_ids=start).logits)
    end = loaded.tokenizer.end_of_text_id
    assert end is not None
    written = write_greedily(loaded, start, 24, source)
    written = written[: written.index(end)]
    expected = reference.generate(source, max_new_tokens=24, do_sample=False, num_beams=1)[0].tolist()
    assert written == expected[: len(written)]
    assert expected[len(written)] == end
    words = "".join(loaded.tokenizer.text_of(token) for token in written[1:]).split()
    assert any(word.endswith(pronoun) for word in words), words
