"""Choosing the next token from logits: greedy, sampled with temperature, top-k, top-p and a seed, or by beams."""

import math
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .model import KeyValueCache, Transformer
from .rules import Rules, Writing

# What may be asked for: the highest temperature, counts of seeds and of `top_k`s, the most beams. A seed's product with
# the position, and its JSON, stay within what every language can count.
HOTTEST, SEEDS, TOP_K, BEAMS = 100.0, 2**53, 2**31, 16
# Below it, differences of logits divided by the temperature leave what float32 can hold.
_GREEDY_BELOW = 1e-6


@dataclass(frozen=True)
class Sampling:
    """How to choose. Temperature 0 is greedy, as is any below 0.000001; `top_k` 0 and `top_p` 1 keep every token.

    With more than one beam a beam search decides, whatever the rest says; see `beam_search`.
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


def choose(
    logits: Tensor, sampling: Sampling, position: int, rules: Rules | None = None, writing: Writing | None = None
) -> Choice:
    """Choose the token that follows position `position` from `logits [d_vocab]`, as `rules` ask where there are any.

    The seed is mixed with the position, so a text continued from its middle goes on exactly as it would have:
    nothing but the tokens so far, the sampling and the seed decides.
    """
    logits = logits.float().cpu()
    probabilities = torch.softmax(logits, -1)
    scores = logits if rules is None or writing is None else rules.apply(logits, writing)
    if sampling.temperature < _GREEDY_BELOW:
        token = int(scores.argmax())
        return Choice(token, float(probabilities[token]), 1.0)
    if not torch.isfinite(scores).any():
        scores = logits  # every token is forbidden, and one has to be chosen
    adjusted = sampling_distribution(scores, sampling)
    generator = torch.Generator().manual_seed((sampling.seed * 1_000_003 + position) % 2**63)
    token = int(torch.multinomial(adjusted, 1, generator=generator))
    return Choice(token, float(probabilities[token]), float(adjusted[token]))


def sampling_distribution(logits: Tensor, sampling: Sampling) -> Tensor:
    """Compute what is drawn from, `[d_vocab]`: temperature first, then top-k, then the nucleus (top-p).

    Top-p is Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", eq. 2: the fewest most
    probable tokens whose probabilities together reach `top_p`.
    """
    # Less the largest, or a low temperature would make infinities of them.
    scaled = (logits - logits.max()) / sampling.temperature
    ordered, order = scaled.sort(descending=True, stable=True)
    if 0 < sampling.top_k < len(ordered):
        ordered[sampling.top_k :] = -torch.inf
    probabilities = torch.softmax(ordered, -1)
    if sampling.top_p < 1:  # summed up in float32 the probabilities would reach 1 long before the last of them
        before = probabilities.double().cumsum(-1) - probabilities
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


@dataclass(frozen=True)
class Found:
    """What a beam search has found: its tokens, and the score that decided."""

    tokens: list[int]
    score: float


def beam_search(
    model: Transformer,
    prompt: Sequence[int],
    width: int,
    new_tokens: int,
    rules: Rules,
    source: Tensor | None = None,
) -> Generator[None, None, Found]:
    """Find the best text of `width` beams, its end of text included; pause at every layer.

    A text's score is the sum of its tokens' log-probabilities, as the rules have changed them, divided by the number
    of tokens written to the power of the rules' length penalty: with a penalty of 1 the log-probability per token
    (Wu et al. 2016, section 7, in the form that `transformers` has). So this is not the likeliest text. The search
    ends when no beam can overtake the worst of `width` finished texts any more, or sooner as the rules ask.
    """
    read = prompt if source is None else source[0].tolist()
    cache = KeyValueCache(model.spec, len(prompt) + new_tokens, like=model.W_E)
    logits = yield from _read(model, torch.tensor([list(prompt)]), cache, source)
    beams, finished = [_Beam((), 0.0)], list[_Beam]()
    for written in range(new_tokens):
        scores = torch.log_softmax(logits.float(), -1)
        writings = (Writing([*prompt, *beam.tokens], len(prompt), len(prompt) + new_tokens, read) for beam in beams)
        ruled = [rules.apply(row, writing) for row, writing in zip(scores, writings, strict=True)]
        before = beams
        beams, rows, ended = _grow(before, torch.stack(ruled), width, rules.ends)
        if not (beams or ended or finished):  # nothing may follow, or the scores are no numbers
            return Found([*before[0].tokens, int(ruled[0].argmax())], math.nan)
        finished += [_scored(beam, rules) for beam in ended]
        finished = sorted(finished, key=lambda beam: -beam.score)[:width]
        if not beams or (len(finished) == width and not _may_improve(beams, finished, written + 1, new_tokens, rules)):
            break
        if written + 1 < new_tokens:
            _follow(cache, rows)
            logits = yield from _read(model, torch.tensor([[beam.tokens[-1]] for beam in beams]), cache, source)
    else:
        finished += [_scored(beam, rules) for beam in beams]
    best = max(finished, key=lambda beam: beam.score)
    return Found(list(best.tokens), best.score)


def _scored(beam: _Beam, rules: Rules) -> _Beam:
    """Pair a finished text with the score that it is compared by."""
    return _Beam(beam.tokens, beam.score / math.pow(len(beam.tokens), rules.length_penalty))


def _may_improve(beams: list[_Beam], finished: list[_Beam], written: int, most: int, rules: Rules) -> bool:
    """Tell whether a beam may still overtake the worst finished text, as far as `transformers` looks for that."""
    if rules.early_stopping is True:
        return False
    length = most if rules.early_stopping == "never" and rules.length_penalty > 0 else written
    best = max(beam.score for beam in beams)
    return best / math.pow(length, rules.length_penalty) > finished[-1].score


def _grow(
    beams: list[_Beam], scores: Tensor, width: int, ends: Collection[int]
) -> tuple[list[_Beam], list[int], list[_Beam]]:
    """Choose the best `width` continuations that go on, the beams they come from, and those of the best that ended."""
    d_vocab = scores.shape[-1]
    scores = scores + torch.tensor([[beam.score] for beam in beams])
    best = scores.flatten().topk(min(max(2, 1 + len(ends)) * width, scores.numel()))
    going, rows, ended = list[_Beam](), list[int](), list[_Beam]()
    for rank, (score, place) in enumerate(zip(best.values.tolist(), best.indices.tolist(), strict=True)):
        if not math.isfinite(score):
            break  # only forbidden tokens are left, or none is a number
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
    """Compute logits after the last of `tokens [batch, pos]`, `[batch, d_vocab]`."""
    logits = yield from model.stages(tokens.to(model.W_E.device), cache=cache, source=source, last_only=True)
    return logits[:, -1].cpu()
