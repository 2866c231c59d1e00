"""Muon: an optimiser for matrices that makes every update orthogonal.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". Matrices of one shape are
orthogonalised together in one batched product, which is what makes it affordable on a small processor.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

# The quintic of Jordan et al.: five rounds bring every singular value to between about 0.7 and 1.2.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5


def orthogonalise(matrices: Tensor) -> Tensor:
    """Approximate the nearest orthogonal matrix to each of `matrices [count, rows, columns]`; rows <= columns.

    Newton-Schulz iteration in bfloat16, whose error is far below the iteration's own.
    """
    a, b, c = _QUINTIC
    x = matrices.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT  # [count, rows, rows]
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.to(matrices.dtype)


class Muon(Optimizer):
    """Momentum, then orthogonalisation, then decoupled weight decay.

    Parameters are matrices `[inputs, outputs]`. One whose name ends in `W_QKV` holds three matrices side by
    side, which are orthogonalised apart.
    """

    def __init__(
        self,
        named_parameters: Iterable[tuple[str, Tensor]],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        named = list(named_parameters)
        self._parts = [3 if name.endswith("W_QKV") else 1 for name, _ in named]
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__([parameter for _, parameter in named], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter once along its orthogonalised momentum."""
        group = self.param_groups[0]
        by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
        for parameter, parts in zip(group["params"], self._parts, strict=True):
            update = self._nesterov(parameter, group["momentum"])
            for target, piece in zip(parameter.chunk(parts, 1), update.chunk(parts, 1), strict=True):
                shape = (min(piece.shape), max(piece.shape))
                by_shape.setdefault(shape, []).append((target, piece))
        for pairs in by_shape.values():
            self._move(pairs, group["lr"], group["weight_decay"])

    def _nesterov(self, parameter: Tensor, momentum: float) -> Tensor:
        """Update the running mean of the gradients, and look ahead of it by one step."""
        if parameter.grad is None:
            raise ValueError("every parameter of Muon needs a gradient")
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - momentum)
        return torch.lerp(parameter.grad, state["momentum"], momentum)

    def _move(self, pairs: list[tuple[Tensor, Tensor]], rate: float, weight_decay: float) -> None:
        """Orthogonalise updates of one shape together (tall ones lying on their side) and apply them."""
        lying = torch.stack([piece if piece.shape[0] <= piece.shape[1] else piece.mT for _, piece in pairs])
        for (target, piece), direction in zip(pairs, orthogonalise(lying), strict=True):
            inputs, outputs = piece.shape
            target.mul_(1 - rate * weight_decay)
            upright = direction if inputs <= outputs else direction.mT
            target.add_(upright, alpha=-rate * max(1.0, outputs / inputs) ** 0.5)
