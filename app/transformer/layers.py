"""The parts of a block: norm, attention, MLP; the fast path beside the mathematics it stands for.

Every intermediate passes through `tap(name, tensor)`. Without a recorder the tap is `no_tap` and the fused
kernels run; with one, each number of the computation is formed, named, handed over, and whatever the tap
returns is what the computation goes on with: that is how an intervention works.

Shapes carry a leading `batch` axis; names and all other axes are DESIGN.md's (TransformerLens's). Weights are
`[inputs, outputs]`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .positions import distance_buckets, rotate
from .spec import Spec

Tap = Callable[[str, Tensor], Tensor]


def no_tap(name: str, tensor: Tensor) -> Tensor:
    """Watch nothing: this tap selects the fused path."""
    return tensor


ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu": F.gelu,
    "relu": F.relu,
    "silu": F.silu,
}


class KeyValueCache:
    """Keys and values of the positions already read, per layer, in buffers made once for `capacity` positions.

    Of an encoder-decoder it also holds what the decoder reads of the source: the encoder's output, and each
    layer's keys and values of it, which never change.
    """

    def __init__(self, spec: Spec, capacity: int, batch: int = 1, like: Tensor | None = None) -> None:
        """Reserve room for `capacity` positions, on the device and in the precision of `like`."""
        shape = (spec.layers, batch, capacity, spec.kv_heads, spec.d_head)
        dtype, device = (like.dtype, like.device) if like is not None else (torch.float32, None)
        self.keys = torch.empty(shape, dtype=dtype, device=device)
        self.values = torch.empty(shape, dtype=dtype, device=device)
        self.capacity = capacity
        self.length = 0
        self.memory: Tensor | None = None
        self.crossed: dict[str, tuple[Tensor, Tensor]] = {}

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Append the rows just computed to a layer; return all rows so far, `[batch, key_pos, kv_head, d_head]`."""
        end = self.length + key.shape[1]
        self.keys[layer, :, self.length : end] = key
        self.values[layer, :, self.length : end] = value
        return self.keys[layer, :, :end], self.values[layer, :, :end]


@dataclass
class Pass:
    """What one pass through a stack carries to every layer.

    `turn` are the rotary cosines and sines of the positions being read; `relative` the stack's table of biases;
    `padding [batch, key_pos]` is true for keys that are no text; `memory` is what cross-attention reads.
    """

    tap: Tap = no_tap
    cache: KeyValueCache | None = None
    turn: tuple[Tensor, Tensor] | None = None
    relative: Tensor | None = None
    padding: Tensor | None = None
    memory: Tensor | None = None
    memory_padding: Tensor | None = None
    layer: int = field(default=0)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply `x [..., inputs]` by `weight [inputs, outputs]`, plus a bias: one product over all rows."""
    rows = x.reshape(-1, x.shape[-1])  # [batch, pos, inputs] -> [batch*pos, inputs]
    out = rows @ weight if bias is None else torch.addmm(bias, rows, weight)
    return out.view(*x.shape[:-1], weight.shape[1])


# Columns of a wide product computed at a time, and the fewest rows for which that pays.
_SLICE, _ROWS = 4096, 8


def wide_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute `linear` for as many outputs as a vocabulary has, in slices that stay in the processor's cache.

    docs/decisions/013-wide-products.md has the measurement.
    """
    rows = x.reshape(-1, x.shape[-1])  # [batch, pos, inputs] -> [batch*pos, inputs]
    width = weight.shape[1]
    if torch.is_grad_enabled() or rows.device.type != "cpu" or len(rows) < _ROWS or width <= _SLICE:
        return linear(x, weight, bias)
    out = rows.new_empty(len(rows), width)
    for start in range(0, width, _SLICE):
        part = slice(start, start + _SLICE)
        if bias is None:
            torch.mm(rows, weight[:, part], out=out[:, part])
        else:
            torch.addmm(bias[part], rows, weight[:, part], out=out[:, part])
    return out.view(*x.shape[:-1], width)


class Norm(nn.Module):
    """Bring each vector to one size, then apply a learned gain `w` and, where there is one, a bias `b`.

    `layer`: centre, divide by the spread (Ba et al. 2016, "Layer Normalization", eq. 4). `rms`: divide by the
    root mean square (Zhang & Sennrich 2019, eq. 4). Epsilon is inside the root; `offset` is added to the gain.
    """

    def __init__(self, width: int, spec: Spec, centred: bool) -> None:
        super().__init__()
        self.offset, self.epsilon, self.centred = spec.norm_offset, spec.norm_epsilon, centred
        self.w = nn.Parameter(torch.full((width,), 1.0 - spec.norm_offset))
        self.b = nn.Parameter(torch.zeros(width)) if centred and spec.norm_bias else None

    def forward(self, x: Tensor, name: str, tap: Tap = no_tap, output: str | None = None) -> Tensor:
        """Normalise `[batch, pos, …, width]`; `name` is the norm's own, such as `blocks.0.ln1`."""
        gain = self.w + self.offset if self.offset else self.w
        if tap is no_tap:
            if self.centred:
                return F.layer_norm(x, self.w.shape, gain, self.b, self.epsilon)
            # F.rms_norm means the same, and on a processor takes twice as long for the single row of a new token
            wide = x.to(torch.promote_types(x.dtype, torch.float32))
            inverse = (wide.square().mean(-1, keepdim=True) + self.epsilon).rsqrt()  # [batch, pos, …, 1]
            return (wide * inverse).to(x.dtype) * gain
        output = output or f"{name}.hook_out"
        if self.centred:
            return self._centred(x, name, tap, output, gain)
        computed = (x.float().square().mean(-1, keepdim=True) + self.epsilon).sqrt()  # [batch, pos, …, 1]
        scale = tap(f"{name}.hook_scale", computed.to(x.dtype))
        normalized = tap(f"{name}.hook_normalized", x / scale)
        return tap(output, normalized * gain)

    def _centred(self, x: Tensor, name: str, tap: Tap, output: str, gain: Tensor) -> Tensor:
        out, computed_mean, inverse = torch.native_layer_norm(x, self.w.shape, gain, self.b, self.epsilon)
        computed_scale = inverse.reciprocal()  # [batch, pos, 1]
        mean = tap(f"{name}.hook_mean", computed_mean)
        scale = tap(f"{name}.hook_scale", computed_scale)
        quotient = (x - mean).div_(scale)
        normalized = tap(f"{name}.hook_normalized", quotient)
        if mean is not computed_mean or scale is not computed_scale or normalized is not quotient:
            # something was changed on the way
            out = normalized * gain if self.b is None else torch.addcmul(self.b, normalized, gain)
        return tap(output, out)


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, eq. 1 and section 3.2.2), also with fewer heads for keys and
    values than for queries (Ainslie et al. 2023), over the text itself or over an encoder's output.

    `fused` keeps the three projections as one matrix, one product; `W_Q`, `W_K`, `W_V` are views of it.
    """

    def __init__(self, spec: Spec, fused: bool, causal: bool, crossed: bool = False) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.d_head = spec.heads, spec.kv_heads, spec.d_head
        self.causal, self.crossed, self.rotary = causal, crossed, None if crossed else spec.rotary
        self.relative, self.scale = None if crossed else spec.relative, spec.score_scale_of(0)
        self.window = 0
        own, shared = spec.heads * spec.d_head, spec.kv_heads * spec.d_head
        self.widths = {"Q": own, "K": shared, "V": shared}
        groups = {"QKV": own + 2 * shared} if fused and not crossed else self.widths
        for letters, width in groups.items():
            self.register_parameter(f"W_{letters}", nn.Parameter(torch.empty(spec.d_model, width)))
        if spec.qkv_bias:
            for letters, width in groups.items():
                self.register_parameter(f"b_{letters}", nn.Parameter(torch.zeros(width)))
        self.fused = "QKV" in groups
        self.W_O = nn.Parameter(torch.empty(own, spec.d_model))
        self.b_O = nn.Parameter(torch.zeros(spec.d_model)) if spec.attention_bias else None
        normed = spec.query_key_norm
        self.q_norm = Norm(spec.d_head, spec, centred=False) if normed else None
        self.k_norm = Norm(spec.d_head, spec, centred=False) if normed else None

    def forward(self, x: Tensor, name: str, given: Pass) -> Tensor:
        """Mix the positions of `x [batch, pos, d_model]`; with a cache, `x` holds only the new positions."""
        if self.crossed:
            query, key, value = self._crossed(x, name, given)
            padding = given.memory_padding
        else:
            query, key, value = self._projected(x, name, given)
            padding = given.padding
        if given.tap is no_tap:
            z = self._fused(query, key, value, given.relative, padding)
        else:
            pattern = self.pattern(query, key, name, given.tap, given.relative, padding)
            z = weigh(pattern, value)
        z = given.tap(f"{name}.hook_z", z)
        # heads side by side: [batch, pos, head, d_head] -> [batch, pos, head*d_head]
        return linear(z.flatten(2), self.W_O, self.b_O)

    def _project(self, x: Tensor, letter: str) -> Tensor:
        """Compute queries, keys or values alone, `[batch, pos, head, d_head]`."""
        bias = getattr(self, f"b_{letter}", None)
        projected: Tensor = linear(x, self.get_parameter(f"W_{letter}"), bias).unflatten(-1, (-1, self.d_head))
        return projected

    def _all_projections(self, x: Tensor) -> list[Tensor]:
        """Compute queries, keys and values, each `[batch, pos, head, d_head]`."""
        if not self.fused:
            return [self._project(x, letter) for letter in "QKV"]
        joint = linear(x, self.get_parameter("W_QKV"), getattr(self, "b_QKV", None))
        # [batch, pos, (head + 2*kv_head)*d_head] -> 3 of [batch, pos, head, d_head]
        parts: tuple[Tensor, ...] = joint.split(list(self.widths.values()), -1)
        return [part.unflatten(-1, (-1, self.d_head)) for part in parts]

    def _projected(self, x: Tensor, name: str, given: Pass) -> tuple[Tensor, Tensor, Tensor]:
        tap = given.tap
        query, key, value = self._all_projections(x)
        query, key, value = tap(f"{name}.hook_q", query), tap(f"{name}.hook_k", key), tap(f"{name}.hook_v", value)
        if self.q_norm is not None and self.k_norm is not None:
            query = self.q_norm(query, f"{name}.q_norm", tap)
            key = self.k_norm(key, f"{name}.k_norm", tap)
        if self.rotary is not None:
            assert given.turn is not None
            query = tap(f"{name}.hook_rot_q", rotate(query, *given.turn, self.rotary))
            key = tap(f"{name}.hook_rot_k", rotate(key, *given.turn, self.rotary))
        if given.cache is not None and self.causal:
            key, value = given.cache.extend(given.layer, key, value)  # [batch, key_pos, kv_head, d_head]
        return query, key, value

    def _crossed(self, x: Tensor, name: str, given: Pass) -> tuple[Tensor, Tensor, Tensor]:
        """Compute queries of the text, and keys and values of the memory, once for a whole text."""
        assert given.memory is not None
        query = given.tap(f"{name}.hook_q", self._project(x, "Q"))
        if given.cache is not None and name in given.cache.crossed:
            return query, *given.cache.crossed[name]
        key = given.tap(f"{name}.hook_k", self._project(given.memory, "K"))
        value = given.tap(f"{name}.hook_v", self._project(given.memory, "V"))
        if given.cache is not None:
            given.cache.crossed[name] = key, value
        return query, key, value

    def pattern(
        self,
        query: Tensor,
        key: Tensor,
        name: str,
        tap: Tap,
        relative: Tensor | None = None,
        padding: Tensor | None = None,
        first: int | None = None,
    ) -> Tensor:
        """Compute attention step by step, each step tapped: `softmax(mask(scale * q k^T + bias))`.

        `query [batch, query_pos, head, d_head]`, `key [batch, key_pos, kv_head, d_head]` to
        `[batch, head, query_pos, key_pos]`, every row of which sums to one. The queries stand at positions from
        `first` on; by default the last one stands where the last key does.
        """
        first = key.shape[1] - query.shape[1] if first is None else first
        raw = self.match(query, key, relative, first)
        hidden = self._hidden(query, key, first, padding)
        if self.causal and not self.crossed:
            raw = tap(f"{name}.hook_attn_scores_raw", raw)
        scores = tap(f"{name}.hook_attn_scores", raw if hidden is None else torch.where(hidden, -torch.inf, raw))
        return tap(f"{name}.hook_pattern", _softmax(scores, name, tap))

    def match(self, query: Tensor, key: Tensor, relative: Tensor | None, first: int) -> Tensor:
        """Multiply every query with every key, scaled, plus what distance adds: `[batch, head, query_pos, key_pos]`."""
        bias = self._bias(relative, query, key, first)
        products = self._products(query * self.scale, key)
        return products if bias is None else products + bias

    def _products(self, scaled: Tensor, key: Tensor) -> Tensor:
        if self.heads == self.kv_heads:
            # [batch, head, query_pos, d_head] @ [batch, head, d_head, key_pos]
            return scaled.transpose(1, 2) @ key.permute(0, 2, 3, 1)
        batch, count, group = scaled.shape[0], scaled.shape[1], self.heads // self.kv_heads
        # heads that share keys stack their queries: [batch, query_pos, head, d_head] -> [batch, kv_head, rows, d_head]
        rows = scaled.view(batch, count, self.kv_heads, group, self.d_head).permute(0, 2, 3, 1, 4).flatten(2, 3)
        # [batch, kv_head, group*query_pos, key_pos] -> [batch, head, query_pos, key_pos]
        return (rows @ key.permute(0, 2, 3, 1)).view(batch, self.heads, count, key.shape[1])

    def _bias(self, relative: Tensor | None, query: Tensor, key: Tensor, first: int) -> Tensor | None:
        """Return what distance adds to the scores, `[1, head, query_pos, key_pos]`."""
        if self.relative is None or relative is None:
            return None
        places = torch.arange(key.shape[1], device=relative.device)
        queries = torch.arange(first, first + query.shape[1], device=relative.device)
        distance = places[None, :] - queries[:, None]  # [query_pos, key_pos]
        bucket = distance_buckets(distance, self.relative.buckets, self.relative.max_distance, not self.causal)
        return relative[bucket].permute(2, 0, 1)[None]  # [query_pos, key_pos, head] -> [1, head, query_pos, key_pos]

    def _hidden(self, query: Tensor, key: Tensor, first: int, padding: Tensor | None) -> Tensor | None:
        """Mark where a query may not look, `[…, query_pos, key_pos]`; None where it may look everywhere."""
        hidden = None
        if self.causal and not self.crossed:
            hidden = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool, device=query.device)
            hidden = (
                hidden.triu(first + 1) | hidden.tril(first - self.window) if self.window else hidden.triu(first + 1)
            )
        if padding is not None:
            padded = padding[:, None, None, :]  # [batch, 1, 1, key_pos]
            hidden = padded if hidden is None else hidden | padded
        return hidden

    def _fused(
        self, query: Tensor, key: Tensor, value: Tensor, relative: Tensor | None, padding: Tensor | None
    ) -> Tensor:
        """Compute the same in one kernel that never forms the pattern; `[batch, pos, head, d_head]` in and out."""
        query_count, key_count = query.shape[1], key.shape[1]
        plain = padding is None and relative is None and not self.window
        simple = self.causal and not self.crossed and plain
        mask, first = None, key_count - query_count
        if not simple or 1 < query_count < key_count:
            hidden = self._hidden(query, key, first, padding)
            mask = None if hidden is None else ~hidden
            bias = self._bias(relative, query, key, first)
            if bias is not None:
                mask = bias if hidden is None else bias.masked_fill(hidden, -torch.inf)
        z = F.scaled_dot_product_attention(
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            attn_mask=mask,
            is_causal=simple and query_count == key_count,
            scale=self.scale,
            enable_gqa=self.heads != self.kv_heads,
        )
        return z.transpose(1, 2)


def _softmax(scores: Tensor, name: str, tap: Tap) -> Tensor:
    """Compute `exp(scores - maximum) / sum` over keys; tap its maximum and sum `[batch, head, query_pos]`.

    The fused kernel's largest share is exp(0) over the sum, which tells the sum. A maximum or a sum that a tap
    changed is what the shares are computed with.
    """
    computed_largest = scores.amax(-1)
    largest = tap(f"{name}.hook_max", computed_largest)
    if largest is computed_largest:
        pattern = torch.softmax(scores, -1)
        computed_total = pattern.amax(-1).reciprocal_()
    else:
        exponentials = (scores - largest.unsqueeze(-1)).exp_()
        computed_total = exponentials.sum(-1)
        pattern = exponentials.div_(computed_total.unsqueeze(-1))
    total = tap(f"{name}.hook_sum", computed_total)
    if total is not computed_total:
        pattern = (scores - largest.unsqueeze(-1)).exp_().div_(total.unsqueeze(-1))
    return pattern


def weigh(pattern: Tensor, value: Tensor) -> Tensor:
    """Sum values by attention: `pattern [batch, head, query_pos, key_pos]`, `value [batch, key_pos, kv_head, d_head]`
    to `[batch, query_pos, head, d_head]`."""
    batch, heads, count, keys = pattern.shape
    shared = value.shape[2]
    # heads that share values stack their rows: [batch, head, query_pos, key_pos] -> [batch, kv_head, rows, key_pos]
    rows = pattern if heads == shared else pattern.view(batch, shared, heads // shared * count, keys)
    z = rows @ value.transpose(1, 2)  # [batch, kv_head, rows, d_head]
    return z.view(batch, heads, count, value.shape[3]).transpose(1, 2)


class MLP(nn.Module):
    """Two linear maps with a nonlinearity between them, at each position alone (Vaswani et al. 2017, eq. 2);
    `gated`: the nonlinearity of one map multiplies another (Shazeer 2020, "GLU Variants", eq. 6)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.gated = spec.gated
        if spec.gated:
            self.W_gate = nn.Parameter(torch.empty(spec.d_model, spec.d_mlp))
        self.W_in = nn.Parameter(torch.empty(spec.d_model, spec.d_mlp))
        self.b_in = nn.Parameter(torch.zeros(spec.d_mlp)) if spec.mlp_bias else None
        self.W_out = nn.Parameter(torch.empty(spec.d_mlp, spec.d_model))
        self.b_out = nn.Parameter(torch.zeros(spec.d_model)) if spec.mlp_bias else None
        self.activation = ACTIVATION_FUNCTIONS[spec.activation]

    def forward(self, x: Tensor, name: str, tap: Tap = no_tap) -> Tensor:
        """Compute what the MLP adds: `[batch, pos, d_model]` to `[batch, pos, d_model]`."""
        if self.gated:
            gate = tap(f"{name}.hook_gate", self.activation(tap(f"{name}.hook_pre", linear(x, self.W_gate, None))))
            straight = tap(f"{name}.hook_pre_linear", linear(x, self.W_in, self.b_in))
            post = tap(f"{name}.hook_post", gate * straight)
        else:
            pre = tap(f"{name}.hook_pre", linear(x, self.W_in, self.b_in))
            post = tap(f"{name}.hook_post", self.activation(pre))
        return linear(post, self.W_out, self.b_out)
