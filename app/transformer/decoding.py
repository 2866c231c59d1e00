"""Choosing the next token from logits: greedy, sampled with temperature, top-k, top-p and a seed, or by beams."""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .model import KeyValueCache, Transformer


@dataclass(frozen=True)
class Sampling:
    """How to choose. Temperature 0 is greedy; `top_k` 0 and `top_p` 1 keep every token.

    With more than one beam the likeliest of the texts that a beam search finds is written, whatever the rest says.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    beams: int = 1


@dataclass(frozen=True)
class Choice:
    """The token chosen, its probability under the model alone, and under the sampling it was drawn from."""

    token: int
    probability: float
    sampled_probability: float


def choose(logits: Tensor, sampling: Sampling, position: int) -> Choice:
    """Choose the token that follows position `position` from `logits [d_vocab]`.

    The seed is mixed with the position, so a text continued from its middle goes on exactly as it would have:
    nothing but the tokens so far, the sampling and the seed decides.
    """
    logits = logits.float().cpu()
    probabilities = torch.softmax(logits, -1)
    if sampling.temperature == 0:
        token = int(logits.argmax())
        return Choice(token, float(probabilities[token]), 1.0)
    adjusted = sampling_distribution(logits, sampling)
    generator = torch.Generator().manual_seed((sampling.seed * 1_000_003 + position) % 2**63)
    token = int(torch.multinomial(adjusted, 1, generator=generator))
    return Choice(token, float(probabilities[token]), float(adjusted[token]))


def sampling_distribution(logits: Tensor, sampling: Sampling) -> Tensor:
    """What is drawn from, `[d_vocab]`: temperature first, then the top-k, then the nucleus (top-p).

    Top-p is Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", eq. 2: the fewest most
    probable tokens whose probabilities together reach `top_p`.
    """
    scaled = logits / sampling.temperature
    ordered, order = scaled.sort(descending=True, stable=True)
    if 0 < sampling.top_k < len(ordered):
        ordered[sampling.top_k :] = -torch.inf
    probabilities = torch.softmax(ordered, -1)
    before = probabilities.cumsum(-1) - probabilities
    probabilities[before >= sampling.top_p] = 0
    probabilities[0] = probabilities[0].clamp_min(torch.finfo(probabilities.dtype).tiny)
    kept = torch.zeros_like(probabilities)
    kept[order] = probabilities / probabilities.sum()
    return kept


@dataclass(frozen=True)
class _Beam:
    """A text in the making: what was written so far, and its log-probability in nats."""

    tokens: tuple[int, ...]
    score: float


def beam_search(
    model: Transformer,
    prompt: Sequence[int],
    width: int,
    new_tokens: int,
    ends: Collection[int],
    source: Tensor | None = None,
) -> Generator[None, None, list[int]]:
    """The tokens of the likeliest text that `width` beams find, its end of text included; pauses at every layer.

    Scores are log-probabilities divided by the number of tokens written (Wu et al. 2016, section 7, with a length
    penalty of 1). The search ends when no beam can overtake the worst of `width` finished texts any more.
    """
    cache = KeyValueCache(model.spec, len(prompt) + new_tokens, like=model.W_E)
    logits = yield from _read(model, torch.tensor([list(prompt)]), cache, source)
    beams, finished = [_Beam((), 0.0)], list[_Beam]()
    for written in range(new_tokens):
        scores = torch.log_softmax(logits.float(), -1) + torch.tensor([[beam.score] for beam in beams])
        beams, rows, ended = _grow(beams, scores, width, ends)
        finished += [_Beam(beam.tokens, beam.score / len(beam.tokens)) for beam in ended]
        finished = sorted(finished, key=lambda beam: -beam.score)[:width]
        best_left = max((beam.score for beam in beams), default=-torch.inf) / (written + 1)
        if not beams or (len(finished) == width and finished[-1].score >= best_left):
            break
        if written + 1 < new_tokens:
            _follow(cache, rows)
            logits = yield from _read(model, torch.tensor([[beam.tokens[-1]] for beam in beams]), cache, source)
    else:
        finished += [_Beam(beam.tokens, beam.score / len(beam.tokens)) for beam in beams]
    return list(max(finished, key=lambda beam: beam.score).tokens)


def _grow(
    beams: list[_Beam], scores: Tensor, width: int, ends: Collection[int]
) -> tuple[list[_Beam], list[int], list[_Beam]]:
    """The best `width` continuations that go on, the beams they come from, and those of the best that have ended."""
    d_vocab = scores.shape[-1]
    best = scores.flatten().topk(min(max(2, 1 + len(ends)) * width, scores.numel()))
    going, rows, ended = list[_Beam](), list[int](), list[_Beam]()
    for rank, (score, place) in enumerate(zip(best.values.tolist(), best.indices.tolist(), strict=True)):
        row, token = divmod(place, d_vocab)
        grown = _Beam((*beams[row].tokens, token), score)
        if token in ends:
            if rank < width:
                ended.append(grown)
        elif len(going) < width:
            going.append(grown)
            rows.append(row)
    return going, rows, ended


def _follow(cache: KeyValueCache, rows: list[int]) -> None:
    """Let the cache hold the texts at these rows, one after the other."""
    chosen = torch.tensor(rows, device=cache.keys.device)
    cache.keys, cache.values = cache.keys[:, chosen], cache.values[:, chosen]
    cache.crossed = {
        name: (key[:1].expand(len(rows), -1, -1, -1), value[:1].expand(len(rows), -1, -1, -1))
        for name, (key, value) in cache.crossed.items()
    }


def _read(
    model: Transformer, tokens: Tensor, cache: KeyValueCache, source: Tensor | None
) -> Generator[None, None, Tensor]:
    """Logits after the last of `tokens [batch, pos]`, `[batch, d_vocab]`."""
    logits = yield from model.stages(tokens.to(model.W_E.device), cache=cache, source=source, last_only=True)
    return logits[:, -1].cpu()
