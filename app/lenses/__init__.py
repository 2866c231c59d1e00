"""Lenses: two-dimensional views computed from a run. One module each makes the numbers and describes the chart."""

from . import attention, next_token, surprisal
from .lens import Format, Lens, LensError

LENSES: dict[str, Lens] = {lens.name: lens for lens in (attention.LENS, next_token.LENS, surprisal.LENS)}

__all__ = ["LENSES", "Format", "Lens", "LensError"]
