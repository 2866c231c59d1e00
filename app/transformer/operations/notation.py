"""What the formulas of operations are written in: operands that somebody fills in, and numbers in LaTeX.

A kind writes its formula once, as `f"{o.part('input')} \\cdot {o.part('gain')}"`; whoever fills the operands in
decides what comes out: symbols with their axes, or the numbers of one cell (`wording.py`).
"""

import math
from collections.abc import Callable
from typing import Protocol

from ..graph import Op


class Operands(Protocol):
    """Whoever fills in a formula's operands.

    `symbolic` is false where numbers of one cell are filled in.
    """

    @property
    def symbolic(self) -> bool:
        """Tell whether operands are symbols."""

    def part(self, name: str, number: int = 0) -> str:
        """Return the operand that is the `number`th of this part."""

    def has(self, name: str) -> bool:
        """Tell whether the operation reads such a part."""

    def brings(self, name: str) -> bool:
        """Tell whether a read of a single cell brings one here: beyond the pairs a partner does not."""

    def over(self, sign: str, term: "Callable[[Operands], str]") -> str:
        """Write a sum (`\\sum`), mean (`\\mean`) or maximum (`\\max`) of terms along the contracted axes."""


def scaled(op: Op, text: str) -> str:
    """Write a formula times the operation's scale, where that is not one."""
    if op.constants.get("scale", 1) == 1:
        return text
    return rf"{constant(op, 'scale')} \cdot {text}"


def plus_bias(o: Operands) -> str:
    """Write the addition of the bias, where there is one."""
    return f" + {o.part('bias')}" if o.has("bias") else ""


def constant(op: Op, name: str) -> str:
    """Write one of the operation's constants."""
    return number_latex(float(op.constants[name]))


def power(text: str, exponent: int) -> str:
    """Write a power."""
    return rf"{{{text}}}^{exponent}"


def number_latex(value: float) -> str:
    """Write a number with four significant digits; with powers of ten where there would be many zeros."""
    if math.isnan(value):
        return r"\text{NaN}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    digits, _, exponent = f"{value:.4g}".partition("e")
    if not exponent:
        return digits
    power = rf"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \times {power}"
