"""What single numbers say of a head's pattern, as functions of the pattern alone."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# In the order in which tables list them, with what they are called.
TITLES = {
    "entropy": "entropy (bits)",
    "distance": "mean distance",
    "previous": "to the previous token",
    "first": "to the first token",
    "induction": "induction",
    "duplicate": "duplicate token",
}


def in_text(pattern: Tensor) -> dict[str, Tensor]:
    """Measure `pattern [head, query_pos, key_pos]` on the text that was read; each measure is `[head]`.

    Means over queries: the entropy of a query's shares in bits, how far away it looks in positions, and what it
    gives to the token before it and to the first one (queries that have such a token that is not themselves).
    """
    queries, keys = pattern.shape[1:]
    far = (torch.arange(queries).unsqueeze(1) - torch.arange(keys)).abs()  # [query_pos, key_pos]
    found = {
        # The sum is at most 0; an empty one is to be 0 and not -0.
        "entropy": 0.0 - torch.special.xlogy(pattern, pattern).sum(-1).mean(-1) / math.log(2),
        "distance": (pattern * far).sum(-1).mean(-1),
    }
    if queries > 1:
        found["previous"] = pattern.diagonal(-1, 1, 2).mean(-1)
        found["first"] = pattern[:, 1:, 0].mean(-1)
    return found


def in_repetition(pattern: Tensor, start: int, length: int) -> dict[str, Tensor]:
    """Measure a pattern on a random sequence of `length` tokens from `start` that is repeated once.

    Induction (Olsson et al. 2022, "In-context Learning and Induction Heads"): what a token of the second copy gives
    to the token that followed it in the first. Duplicate token (Wang et al. 2023, "Interpretability in the Wild",
    section 3): what it gives to itself in the first copy. Means over the second copy; 1 is a perfect head.
    """
    rows = torch.arange(start + length, start + 2 * length)
    return {
        "induction": pattern[:, rows, rows - length + 1].mean(-1),
        "duplicate": pattern[:, rows, rows - length].mean(-1),
    }


def mean_square_pool(pattern: Tensor, size: int) -> Tensor:
    """Shrink `pattern [head, query_pos, key_pos]` to at most `size` cells high and wide: the root of the mean square of
    the cells that fall together, so that a few strong ones stay to be seen."""
    target = (min(size, pattern.shape[1]), min(size, pattern.shape[2]))
    if target == pattern.shape[1:]:
        return pattern
    return torch.nn.functional.adaptive_avg_pool2d(pattern.square(), target).sqrt()


def table(measures: Sequence[str]) -> list[str]:
    """Write the header of a table with these measures of every head."""
    return ["layer", "head", *measures]
