"""What each head's query looks at more than queries usually do: how a head that does something in this text is found.

Many heads rest on a token that everybody rests on, the first one mostly. So a share alone says little; what counts is
how much of it is above what that key gets from all queries and heads that may look at it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..runs.run import Run
from ..transformer.tokenizer import Token
from .parts import axis_tokens


class Looks:
    """Collects, pattern by pattern, one query's row of every head and what each key gets on average."""

    def __init__(self, run: Run, module: str, part: str) -> None:
        """Choose the query whose looks are told: of `module`, the first of its part."""
        name = f"{module}.hook_pattern"
        self._keys = axis_tokens(run, name, "key_pos")
        self._itself = part != "cross"
        queries = axis_tokens(run, name, "query_pos")[: run.recorder.rows(name)]
        # What writes is asked where it goes on; what reads all at once, at the word that says most.
        writes = run.loaded.spec.writes and part != "encoder"
        self.query = (-1 if writes else _asking(run, queries)) % len(queries)
        self._rows: list[Tensor] = []
        self._given: Tensor | None = None
        self._looking: Tensor | None = None

    def add(self, pattern: Tensor) -> None:
        """Take in the pattern `[head, query_pos, key_pos]` of one layer."""
        self._rows.append(pattern[:, self.query])
        given, looking = pattern.sum((0, 1)), (pattern > 0).sum((0, 1))
        self._given = given if self._given is None else self._given + given
        self._looking = looking if self._looking is None else self._looking + looking

    def told(self) -> dict[str, Any] | None:
        """Return the query, and of every head (`[layer][head]`) the key, its share and how far that is above the usual.

        None where the query has no other token to look at.
        """
        assert self._given is not None and self._looking is not None
        rows = torch.stack(self._rows)  # [layer, head, key_pos]
        above = rows - self._given / self._looking.clamp(min=1)
        above[..., ~self._worth(rows.shape[-1])] = -torch.inf
        best = above.max(-1)
        if torch.isneginf(best.values).any() or torch.isnan(best.values).any():
            return None
        return {
            "query": self.query,
            "keys": best.indices.tolist(),
            "shares": rows.gather(-1, best.indices.unsqueeze(-1)).squeeze(-1).tolist(),
            "above": best.values.tolist(),
        }

    def _worth(self, count: int) -> Tensor:
        """Mark the keys worth looking at, `[key_pos]`: tokens of the text, other than the query itself."""
        keys = self._keys[:count]
        text = _of_text(keys)
        worth = torch.tensor([at in text for at in range(count)], dtype=torch.bool)
        if self._itself:
            worth[self.query] = False
        return worth


def _of_text(tokens: Sequence[Token]) -> set[int]:
    """Mark the tokens that stand for text; all of them where none does (ids without a tokenizer)."""
    found = {at for at, token in enumerate(tokens) if token.end > token.start}
    return found or set(range(len(tokens)))


def _asking(run: Run, queries: Sequence[Token]) -> int:
    """Choose the query of a model that reads all at once: what is masked, else the last word of the text."""
    mask = run.loaded.tokenizer.mask_id
    masked = [at for at, token in enumerate(queries) if mask is not None and token.id == mask]
    text = _of_text(queries)
    words = [at for at in sorted(text) if any(map(str.isalnum, queries[at].text))]
    return (masked or words[-1:] or [-1])[0]
