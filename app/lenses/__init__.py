"""Lenses: two-dimensional views computed from a run. One module each makes the numbers and describes the chart."""

from . import (
    attention,
    attention_board,
    contributions,
    distributions,
    embeddings,
    head_measures,
    logit_lens,
    neighbours,
    neurons,
    next_token,
    query_key,
    residual,
    rollout,
    surprisal,
)
from .lens import Format, Lens
from .parameters import LensError, Parameter

# In the order in which they are listed.
_MODULES = (
    attention, attention_board, head_measures, rollout, query_key, logit_lens, residual, contributions, neurons,
    embeddings, neighbours, next_token, distributions, surprisal,
)  # fmt: skip
LENSES: dict[str, Lens] = {lens.name: lens for module in _MODULES for lens in module.LENSES}

__all__ = ["LENSES", "Format", "Lens", "LensError", "Parameter"]
