"""`rotate`: queries and keys turned by their position (rotary positions), entry by entry in pairs.

    rot_q[pos, head, d_head] = q · cos[pos, d_head] ∓ partner(q) · sin[pos, d_head]

Source: Su et al. 2021, "RoFormer", equation 34: of each pair the first takes away its partner times the sine, the
second adds it.
"""

import torch
from torch import Tensor

from ..cells import comes_first
from ..graph import Op, Pair
from .inputs import Inputs, align
from .notation import Operands
from .operation import Names, Operation, Playback
from .summands import Terms, listed_terms, only


def _evaluate(given: Inputs) -> Tensor:
    turned = given.aligned("input") * given.aligned("cosine")
    return turned + _sign(given) * given.aligned("partner") * given.aligned("sine")


def _sign(given: Inputs) -> Tensor:
    """Return minus one where an index is the first of its pair, and one where it is the second."""
    found = given.required("partner")
    pair = next(index for index in found.read.index if isinstance(index, Pair))
    indices = torch.tensor(given.at[pair.pair])
    signs = torch.where(comes_first(indices, pair), -1.0, 1.0).double().to(found.values.device)
    return align(signs, (pair.pair,), given.axes)


def _terms(given: Inputs) -> Terms:
    first, partner, sine = given.reads[0], given.required("partner"), given.required("sine")
    parts = [((first, given.required("cosine")), only(first) * float(given.aligned("cosine")))]
    if partner.allowed is None or bool(partner.allowed):
        parts.append(((partner, sine), float(_sign(given)) * only(partner) * only(sine)))
    return listed_terms(parts)


def _latex(op: Op, o: Operands) -> str:
    turned = rf"{o.part('input')} \cdot {o.part('cosine')}"
    return turned + (rf" {o.part('sign')} {o.part('partner')} \cdot {o.part('sine')}" if o.brings("partner") else "")


def _sentence(op: Op, names: Names) -> str:
    return (
        f"{names.inputs[0]} turned by its position: times the cosine, and of each pair the first takes away "
        "its partner times the sine, the second adds it."
    )


def _playback(given: Inputs, result: float) -> Playback:
    partner = given.required("partner")
    if partner.allowed is not None and not bool(partner.allowed):
        return Playback("Both are multiplied")
    does = "adds" if float(_sign(given)) > 0 else "takes away"
    return Playback(f"Each pair is multiplied; this entry {does} its partner's product")


OPERATION = Operation("rotate", _evaluate, _terms, _latex, _sentence, _playback)
