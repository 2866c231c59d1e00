"""Each entry of `generation_config.json` changes our text as it changes that of `transformers`, greedy and by beams.

One entry at a time, on a decoder and on an encoder-decoder, in a file of its own and in `config.json` without one.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, MarianConfig, MarianMTModel
from transformers.generation.logits_process import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from app.checkpoints.catalog import Catalog, LoadedModel
from app.runs.executor import Executor
from app.runs.run import Run
from app.transformer.decoding import Sampling, sampling_distribution
from app.transformer.tokenizer import IdTokenizer, Token
from tests.parity.reference import load, randomise

pytestmark = pytest.mark.parity

D_VOCAB, PAD, NEW = 40, 39, 9
PROMPT = [3, 7, 9, 3, 7]
# Of every entry a value that changes the text; A and B stand for the first two tokens written without it.
ENTRIES: dict[str, Any] = {
    "eos_token_id": ["B", 12], "bad_words_ids": [["A"], [5]], "bad_words_ids, of two": [["A", "B"]],
    "bad_words_ids, an end": [["B"], ["A"]], "suppress_tokens": ["A", 3], "begin_suppress_tokens": ["A"],
    "forced_bos_token_id": 5, "forced_eos_token_id": 6, "forced_eos_token_id, listed": [6], "min_new_tokens": 6,
    "min_length": 10, "repetition_penalty": 1.8, "encoder_repetition_penalty": 0.2, "no_repeat_ngram_size": 1,
    "no_repeat_ngram_size, of two": 2, "encoder_no_repeat_ngram_size": 1, "sequence_bias": [[["A"], -30.0]],
    "sequence_bias, of two": [[["A", "B"], -30.0]], "exponential_decay_length_penalty": [2, 1.6],
    "remove_invalid_values": True, "renormalize_logits": True, "length_penalty": 3.0, "length_penalty, none": 0.0,
    "early_stopping": True, "early_stopping, never": "never",
}  # fmt: skip
# Beside entries that only do something with an end.
BESIDE: dict[str, Any] = {
    "min_new_tokens": ["B"], "min_length": ["B"], "exponential_decay_length_penalty": [12],
    "bad_words_ids, an end": ["B"],
    "early_stopping": ["B"], "early_stopping, never": ["B"], "length_penalty": ["B"], "length_penalty, none": ["B"],
}  # fmt: skip


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """Compute all runs here."""
    found = Executor(8, threads=1)
    yield found
    found.close()


@dataclass
class Pair:
    """A random model in `transformers`, and ours of what it saved."""

    kind: str
    folder: Path
    reference: Any
    loaded: LoadedModel
    first: list[int]


@pytest.fixture(scope="module", params=["gpt2", "marian"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Make a decoder, and an encoder-decoder."""
    kind, folder = request.param, tmp_path_factory.mktemp("rules") / request.param
    small: dict[str, Any] = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 40, "eos_token_id": None}
    paired: dict[str, Any] = {
        "decoder_vocab_size": D_VOCAB, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "pad_token_id": PAD,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
        "max_position_embeddings": 40, "eos_token_id": None, "decoder_start_token_id": PAD,
        "forced_eos_token_id": None,
    }  # fmt: skip
    reference: Any = (
        GPT2LMHeadModel(GPT2Config(vocab_size=D_VOCAB, **small))
        if kind == "gpt2"
        else MarianMTModel(MarianConfig(vocab_size=D_VOCAB, **paired))
    )
    randomise(reference, seed=4).save_pretrained(folder)
    found = Pair(kind, folder, reference, load(folder), [])
    said: Any = GenerationConfig
    found.first = theirs(found, said(decoder_start_token_id=PAD), 1)[0]
    return found


def theirs(pair: Pair, said: GenerationConfig, beams: int) -> tuple[list[int], float | None]:
    """Return what `transformers` writes, and a beam search's score."""
    prompt = torch.tensor([PROMPT])
    pair.reference.generation_config = said
    found = pair.reference.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=NEW, do_sample=False, num_beams=beams,
        pad_token_id=PAD, return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    written = found.sequences[0].tolist()[len(PROMPT) if pair.kind == "gpt2" else 1 :]
    return written, float(found.sequences_scores[0]) if beams > 1 else None


def ours(pair: Pair, folder: Path, executor: Executor, beams: int) -> tuple[list[int], float | None]:
    """Return what a run of the same model writes with this folder's files, and its score."""
    entry = Catalog(folder.parent / "none", [folder]).entries()[0]
    assert entry.not_obeyed == ()
    loaded = replace(pair.loaded, entry=entry, tokenizer=IdTokenizer(end_ids=entry.frame.ends))
    read = [Token(token, "", 0, 0) for token in PROMPT]
    start = [Token(token, "", 0, 0) for token in entry.start_ids]
    prompt, source = (read, []) if pair.kind == "gpt2" else (start, read)
    run, over = Run(loaded, prompt, NEW, Sampling(beams=beams), source=source), threading.Event()
    run.listen(lambda event: over.set() if event in ("done", "failed") else None)
    run.advance(executor, None)
    assert over.wait(60) and run.failure is None, run.failure
    forbidden = {(one.id,) for one in run.generated[0].top if one.forbidden}
    assert forbidden >= {word for word in entry.rules.forbidden if word == (pair.first[0],)}
    return [one.token.id for one in run.generated], run.beam_score


def filled(value: Any, first: list[int]) -> Any:
    """Fill a value's A and B with the tokens that they stand for."""
    if isinstance(value, list):
        return [filled(part, first) for part in value]
    return {"A": first[0], "B": first[1]}.get(value, value) if isinstance(value, str) else value


def put(pair: Pair, place: Path, said: dict[str, Any], own_file: bool) -> tuple[Path, GenerationConfig]:
    """Write a folder that says this, in a file or in its configuration; return what `transformers` makes of it."""
    place.mkdir()
    config = json.loads((pair.folder / "config.json").read_text())
    if own_file:
        (place / "generation_config.json").write_text(json.dumps({**said, "decoder_start_token_id": PAD}))
        (place / "config.json").write_text(json.dumps(config))
        return place, GenerationConfig.from_pretrained(place)
    (place / "config.json").write_text(json.dumps(config | said))
    return place, GenerationConfig.from_pretrained(place, "config.json", _from_model_config=True)


def same(pair: Pair, place: tuple[Path, GenerationConfig], executor: Executor, beams: int) -> None:
    """Check that the tokens and the score are the same."""
    expected, expected_score = theirs(pair, place[1], beams)
    written, score = ours(pair, place[0], executor, beams)
    assert written == expected
    if expected_score is not None:
        assert score == pytest.approx(expected_score, rel=1e-4)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_changes_the_text_alike(tmp_path: Path, pair: Pair, executor: Executor, entry: str) -> None:
    said = {entry.split(",")[0]: filled(ENTRIES[entry], pair.first)}
    if entry in BESIDE:
        said["eos_token_id"] = filled(BESIDE[entry], pair.first)
    place = put(pair, tmp_path / "said", said, own_file=True)
    for beams in (1, 3):
        same(pair, place, executor, beams)


@pytest.mark.parametrize("own", [None, {}, {"temperature": 1.0}, {"eos_token_id": None}])
def test_the_file_of_its_own_counts_alone(
    tmp_path: Path, pair: Pair, executor: Executor, own: dict[str, Any] | None
) -> None:
    said = {"eos_token_id": pair.first[1], "bad_words_ids": [[pair.first[0]]]}
    place = put(pair, tmp_path / "said", said, own_file=False)
    if own is not None:
        (place[0] / "generation_config.json").write_text(json.dumps({**own, "decoder_start_token_id": PAD}))
        place = place[0], GenerationConfig.from_pretrained(place[0])
    same(pair, place, executor, 1)


def test_what_is_not_known_is_named(tmp_path: Path, pair: Pair) -> None:
    said = {
        "guidance_scale": 1.5, "stop_strings": ["x"], "novel_penalty": 2, "bad_words_ids": [[D_VOCAB]],
        "typical_p": 1.0, "suppress_tokens": "all", "repetition_penalty": -1, "num_beams": 4, "min_p": None,
    }  # fmt: skip
    place = tmp_path / "said"
    shutil.copytree(pair.folder, place)
    (place / "generation_config.json").write_text(json.dumps(said))
    entry = Catalog(tmp_path / "none", [place]).entries()[0]
    named = {sentence.split(" says ")[1].split(":")[0] for sentence in entry.not_obeyed}
    assert named == {"guidance_scale", "stop_strings", "novel_penalty", "bad_words_ids", "suppress_tokens",
                     "repetition_penalty"}  # fmt: skip


WARPED = [
    {"top_k": top_k, "top_p": top_p, "temperature": temperature}
    for top_k in (0, 1, 7, D_VOCAB, D_VOCAB + 5)
    for top_p in (1e-6, 0.3, 0.999, 1.0)
    for temperature in (0.3, 1.0, 5.0)
]


@pytest.mark.parametrize("size", [D_VOCAB, 60_000])
def test_what_is_drawn_from_is_what_transformers_draws_from(size: int) -> None:
    logits = torch.randn(size, generator=torch.Generator().manual_seed(1)) * 4
    for how in WARPED:
        warpers: Any = LogitsProcessorList([TemperatureLogitsWarper(how["temperature"])])
        if how["top_k"]:
            warpers.append(TopKLogitsWarper(int(how["top_k"])))
        if how["top_p"] < 1:
            warpers.append(TopPLogitsWarper(how["top_p"]))
        expected = torch.softmax(warpers(torch.zeros(1, 1), logits[None]), -1)[0]
        found = sampling_distribution(logits, Sampling(how["temperature"], int(how["top_k"]), how["top_p"]))
        # At the edge of the nucleus a sum in float32 may take another of many equally unlikely tokens.
        assert float((found - expected).abs().sum()) < 1e-4, how
        if how["top_p"] == 1 and how["top_k"] == 0:
            assert int((found > 0).sum()) == int((torch.softmax(logits / how["temperature"], -1) > 0).sum())


@pytest.mark.parametrize("temperature", [1e-30, 1e-6, 100.0])
def test_any_temperature_gives_a_distribution(temperature: float) -> None:
    found = sampling_distribution(torch.tensor([1.0, 3.0, 2.0]), Sampling(temperature))
    assert float(found.sum()) == pytest.approx(1) and int(found.argmax()) == 1
