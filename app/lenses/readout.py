"""From vectors of the residual stream to the vocabulary: the model's own last norm and unembedding."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from ..runs.run import Run
from ..transformer.spec import Spec
from .parts import output_prefix

# Logits made at once, so that many vectors of a large vocabulary do not fill the memory.
_LOGITS = 8_000_000


def unembed(run: Run, vectors: Tensor) -> Tensor:
    """Compute logits of `vectors [row, d_model]` by the model's own code, its last norm (where it has one) first:
    `[row, d_vocab]`, float32 on the processor."""
    model = run.loaded.model
    norm = model.last.ln_final
    # a batch of one text: [row, d_model] -> [1, row, d_model]
    batch = vectors.unsqueeze(0)
    logits = model.unembed(batch if norm is None else norm(batch, "ln_final"))
    return logits[0].float().cpu()


def rows_at_once(spec: Spec) -> int:
    """Count the vectors to unembed at a time."""
    return max(1, _LOGITS // spec.d_vocab)


def needs_head(spec: Spec) -> str | None:
    """Say why there are no logits, or return None where there are."""
    return None if spec.head else "the model has no language head, so nothing is named by tokens"


def why_not_linear(spec: Spec) -> str | None:
    """Say why what the parts of a model add is no sum of parts of the logits; return None where it is one."""
    if not spec.head:
        return needs_head(spec)
    if spec.head_transform:
        return "a dense layer with a nonlinearity stands between its last vectors and the vocabulary"
    if spec.norm_place == "post":
        return "every block ends in a norm, which rescales all that was added before it"
    return None


@dataclass(frozen=True)
class LinearReadout:
    """The way from the stream to the logits of a pre-norm model, but for the norm's scale: centring, gain, `W_U`.

    With the scale that the norm had at a position, a logit is `vector · direction / scale + constant`.
    """

    gain: Tensor | None
    bias: Tensor | None
    centred: bool
    unembedding: Tensor
    unembedding_bias: Tensor | None
    factor: float

    def direction(self, token: int) -> Tensor:
        """Return what a vector is multiplied with for the logit of a token, `[d_model]`, in float64."""
        column = self.unembedding[:, token].double().cpu() * self.factor
        if self.gain is not None:
            column = column * self.gain.double().cpu()
        # centring is symmetric: (x - mean(x)) · c = x · (c - mean(c))
        return column - column.mean() if self.centred else column

    def constants(self, token: int) -> dict[str, float]:
        """Return the part of a token's logit that does not depend on the text: the norm's and unembedding's biases."""
        found = {}
        if self.bias is not None:
            column = self.unembedding[:, token].double().cpu() * self.factor
            found["ln_final.b"] = float(self.bias.double().cpu() @ column)
        if self.unembedding_bias is not None:
            found["b_U"] = float(self.unembedding_bias[token])
        return found

    def toward(self, vectors: Tensor) -> Tensor:
        """Tell what adding `vectors [row, d_model]` does to each logit, before the norm's scale: `[row, d_vocab]`."""
        moved = vectors - vectors.mean(-1, keepdim=True) if self.centred else vectors
        if self.gain is not None:
            moved = moved * self.gain
        return (moved @ self.unembedding * self.factor).float().cpu()


def linear_readout(loaded: LoadedModel) -> LinearReadout:
    """Return the linear way out of a model for which `why_not_linear` says nothing."""
    spec, norm = loaded.spec, f"{output_prefix(loaded.spec)}ln_final"
    gain = _weight(loaded.model.weight, f"{norm}.w") if spec.final_norm else None
    if gain is not None and spec.norm_offset:
        gain = gain + spec.norm_offset
    return LinearReadout(
        gain=gain,
        bias=_weight(loaded.model.weight, f"{norm}.b") if spec.final_norm else None,
        centred=spec.final_norm and spec.norm == "layer",
        unembedding=loaded.model.weight("W_U").detach(),
        unembedding_bias=_weight(loaded.model.weight, "b_U") if spec.unembed_bias else None,
        factor=spec.unembed_scale,
    )


def _weight(weight: Callable[[str], Tensor], name: str) -> Tensor | None:
    try:
        return weight(name).detach()
    except KeyError:
        return None


@dataclass(frozen=True)
class Named:
    """A token with a number."""

    id: int
    text: str
    value: float

    def answer(self, value: str) -> dict[str, object]:
        """Write it as JSON, the number under the name `value`."""
        return {"id": self.id, "text": self.text, value: self.value}


def strongest(loaded: LoadedModel, values: Tensor, count: int, largest: bool = True) -> list[Named]:
    """Find the tokens with the largest (or smallest) of `values [d_vocab]`."""
    best = values.topk(min(count, len(values)), largest=largest)
    return [
        Named(int(token), loaded.tokenizer.text_of(int(token)), float(value))
        for value, token in zip(best.values, best.indices, strict=True)
    ]
