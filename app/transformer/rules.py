"""What a model's makers ask of its writing: tokens never to be written, or always, and scores raised or lowered.

They are the entries of a `generation_config.json` that change which token comes next, applied to the scores before
one is chosen, in the order in which `transformers` does. The logits that are captured and shown stay the model's own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Writing:
    """How far a text is: its tokens up to now, how many of them are the prompt's, and how many there may be in all.

    `source` is what an encoder read; a model without one has its prompt there.
    """

    tokens: Sequence[int]
    prompt: int
    limit: int
    source: Sequence[int]


@dataclass(frozen=True)
class Rules:
    """The rules of one model; the defaults change nothing. `length_penalty` and `early_stopping` are beam search's.

    `biases` are added to the score of a sequence's last token where the others were just written; `forbidden`
    sequences are never completed. `forced_first` is written after a prompt of one token, `forced_last` at the limit.
    """

    ends: Ids = ()
    biases: tuple[tuple[Ids, float], ...] = ()
    source_repetition_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat: int = 0
    source_no_repeat: int = 0
    forbidden: tuple[Ids, ...] = ()
    least: int = 0
    least_new: int = 0
    forced_first: int | None = None
    forced_last: Ids = ()
    finite_only: bool = False
    ending_sooner: tuple[int, float] | None = None
    suppressed: Ids = ()
    suppressed_first: Ids = ()
    renormalised: bool = False
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False

    def apply(self, scores: Tensor, writing: Writing) -> Tensor:
        """Change the scores `[d_vocab]` that a token is chosen by; those of forbidden tokens become minus infinity."""
        scores = scores.clone()
        self._bias(scores, writing.tokens)
        _penalise(scores, writing.source, self.source_repetition_penalty, reverse=True)
        _penalise(scores, writing.tokens, self.repetition_penalty)
        _forbid(scores, _completing(writing.tokens, writing.tokens, self.no_repeat))
        _forbid(scores, _completing(writing.source, writing.tokens, self.source_no_repeat))
        single_ends = {(end,) for end in self.ends}
        _forbid(scores, (word[-1] for word in self.forbidden if word not in single_ends and _follows(word, writing)))
        new = len(writing.tokens) - writing.prompt
        if len(writing.tokens) < self.least or new < self.least_new:
            _forbid(scores, self.ends)
        if self.forced_first is not None and len(writing.tokens) == 1:
            _force(scores, (self.forced_first,))
        if self.forced_last and len(writing.tokens) == writing.limit - 1:
            _force(scores, self.forced_last)
        if self.finite_only:
            torch.nan_to_num_(scores, nan=0.0)
        self._hasten(scores, new)
        _forbid(scores, self.suppressed)
        if new == (1 if writing.prompt == 1 and self.forced_first is not None else 0):
            _forbid(scores, self.suppressed_first)
        return scores.log_softmax(-1) if self.renormalised else scores

    def _bias(self, scores: Tensor, tokens: Sequence[int]) -> None:
        for sequence, bias in self.biases:
            if sequence[-1] < len(scores) and tuple(tokens[len(tokens) - len(sequence) + 1 :]) == sequence[:-1]:
                scores[sequence[-1]] += bias

    def _hasten(self, scores: Tensor, new: int) -> None:
        """Raise the scores of ends more and more after a while."""
        if self.ending_sooner is None or new <= self.ending_sooner[0] or not self.ends:
            return
        start, factor = self.ending_sooner
        ends = scores[list(self.ends)]
        raised = ends + ends.abs() * (factor ** (new - start) - 1)
        scores[list(self.ends)] = torch.where(torch.isfinite(ends), raised, ends)


def _follows(word: Ids, writing: Writing) -> bool:
    """Tell whether a word's tokens but the last were just written."""
    before = len(writing.tokens) - len(word) + 1
    return before >= 0 and tuple(writing.tokens[before:]) == word[:-1]


def _completing(read: Sequence[int], tokens: Sequence[int], size: int) -> list[int]:
    """Find what would complete a sequence of `size` tokens that stands in `read`, after the last of `tokens`."""
    if size < 1 or len(tokens) + 1 < size:
        return []
    last = list(tokens[len(tokens) + 1 - size :])
    return [read[at + size - 1] for at in range(len(read) - size + 1) if list(read[at : at + size - 1]) == last]


def _penalise(scores: Tensor, tokens: Collection[int], penalty: float, reverse: bool = False) -> None:
    """Lower the scores of tokens that were there already (Keskar et al. 2019, section 4.1); or raise them."""
    if penalty == 1 or not tokens:
        return
    there = sorted({token for token in tokens if token < len(scores)})
    found, penalty = scores[there], 1 / penalty if reverse else penalty
    scores[there] = torch.where(found < 0, found * penalty, found / penalty)


def _forbid(scores: Tensor, tokens: Iterable[int]) -> None:
    known = [token for token in tokens if 0 <= token < len(scores)]
    scores[known] = -torch.inf


def _force(scores: Tensor, tokens: Ids) -> None:
    scores.fill_(-torch.inf)
    scores[list(tokens)] = 0.0
