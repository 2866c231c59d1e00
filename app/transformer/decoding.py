"""Choosing the next token from logits: greedy, or sampled with temperature, top-k, top-p and a seed."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """How to choose. Temperature 0 is greedy; `top_k` 0 and `top_p` 1 keep every token."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0


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
