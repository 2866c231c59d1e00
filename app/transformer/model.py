"""One transformer, written to be read: the fast path beside the mathematics it stands for.

Every intermediate passes through `tap(name, tensor)`. Without a recorder the tap is `no_tap` and the fused
kernels run; with one, each number of the computation is formed, named, handed over, and whatever the tap
returns is what the computation goes on with: that is how an intervention works.

Shapes carry a leading `batch` axis; names and all other axes are DESIGN.md's (TransformerLens's).
"""

import math
from collections.abc import Callable, Generator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .spec import Spec

Tap = Callable[[str, Tensor], Tensor]


def no_tap(name: str, tensor: Tensor) -> Tensor:
    """The tap that watches nothing: its presence selects the fused path."""
    return tensor


ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu": F.gelu,
    "relu": F.relu,
}


class KeyValueCache:
    """Keys and values of the positions already read, per layer, in buffers made once for `capacity` positions."""

    def __init__(self, spec: Spec, capacity: int, batch: int = 1, like: Tensor | None = None) -> None:
        """Reserve room for `capacity` positions, on the device and in the precision of `like`."""
        shape = (spec.layers, batch, capacity, spec.heads, spec.d_head)
        dtype, device = (like.dtype, like.device) if like is not None else (torch.float32, None)
        self.keys = torch.empty(shape, dtype=dtype, device=device)
        self.values = torch.empty(shape, dtype=dtype, device=device)
        self.capacity = capacity
        self.length = 0

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Append the rows just computed to a layer; return all rows so far, `[batch, key_pos, head, d_head]`."""
        end = self.length + key.shape[1]
        self.keys[layer, :, self.length : end] = key
        self.values[layer, :, self.length : end] = value
        return self.keys[layer, :, :end], self.values[layer, :, :end]


class LayerNorm(nn.Module):
    """Centre each residual vector, divide by its spread, then apply a learned gain `w` and bias `b`.

    Ba et al. 2016, "Layer Normalization", eq. 4, with epsilon inside the root.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(spec.d_model))
        self.b = nn.Parameter(torch.zeros(spec.d_model))
        self.epsilon = spec.norm_epsilon

    def forward(self, x: Tensor, name: str, tap: Tap = no_tap) -> Tensor:
        """`[batch, pos, d_model]` in and out; `name` is the norm's own, such as `blocks.0.ln1`."""
        if tap is no_tap:
            return F.layer_norm(x, self.w.shape, self.w, self.b, self.epsilon)
        out, computed_mean, inverse = torch.native_layer_norm(x, self.w.shape, self.w, self.b, self.epsilon)
        computed_scale = inverse.reciprocal()  # [batch, pos, 1]
        mean = tap(f"{name}.hook_mean", computed_mean)
        scale = tap(f"{name}.hook_scale", computed_scale)
        quotient = (x - mean).div_(scale)
        normalized = tap(f"{name}.hook_normalized", quotient)
        if mean is not computed_mean or scale is not computed_scale or normalized is not quotient:
            out = torch.addcmul(self.b, normalized, self.w)  # something was changed on the way
        return tap(f"{name}.hook_out", out)


class Attention(nn.Module):
    """Multi-head causal self-attention (Vaswani et al. 2017, eq. 1 and section 3.2.2).

    The query, key and value projections are one matrix product; `W_Q`, `W_K`, `W_V` are views of it.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        width = spec.heads * spec.d_head
        self.heads, self.d_head = spec.heads, spec.d_head
        self.W_QKV = nn.Parameter(torch.empty(spec.d_model, 3 * width))
        self.b_QKV = nn.Parameter(torch.zeros(3 * width))
        self.W_O = nn.Parameter(torch.empty(width, spec.d_model))
        self.b_O = nn.Parameter(torch.zeros(spec.d_model))

    def forward(self, x: Tensor, layer: int, tap: Tap = no_tap, cache: KeyValueCache | None = None) -> Tensor:
        """Mix the positions of `x [batch, pos, d_model]`; with a cache, `x` holds only the new positions."""
        name = f"blocks.{layer}.attn"
        batch, pos, d_model = x.shape
        qkv = torch.addmm(self.b_QKV, x.reshape(batch * pos, d_model), self.W_QKV)
        # [batch*pos, 3*head*d_head] -> 3 of [batch, pos, head, d_head]
        query, key, value = qkv.view(batch, pos, 3, self.heads, self.d_head).unbind(2)
        query = tap(f"{name}.hook_q", query)
        key = tap(f"{name}.hook_k", key)
        value = tap(f"{name}.hook_v", value)
        if cache is not None:
            key, value = cache.extend(layer, key, value)  # [batch, key_pos, head, d_head]
        if tap is no_tap:
            z = fused_attention(query, key, value)
        else:
            pattern = attention_pattern(query, key, name, tap)
            # [batch, head, query_pos, key_pos] @ [batch, head, key_pos, d_head] -> [batch, pos, head, d_head]
            z = (pattern @ value.transpose(1, 2)).transpose(1, 2)
        z = tap(f"{name}.hook_z", z)
        # heads side by side: [batch, pos, head, d_head] -> [batch*pos, head*d_head]
        out = torch.addmm(self.b_O, z.reshape(batch * pos, -1), self.W_O)
        return out.view(batch, pos, d_model)


def causal_mask(query_count: int, key_count: int, device: torch.device) -> Tensor:
    """True where a query may not look, `[query_pos, key_pos]`; the last query is the last key's position."""
    allowed_from = key_count - query_count + 1
    return torch.ones(query_count, key_count, dtype=torch.bool, device=device).triu(allowed_from)


def attention_pattern(query: Tensor, key: Tensor, name: str, tap: Tap) -> Tensor:
    """The mathematics of attention, each step tapped: `softmax(mask(q k^T / sqrt(d_head)))`.

    `query [batch, query_pos, head, d_head]`, `key [batch, key_pos, head, d_head]` to
    `[batch, head, query_pos, key_pos]`, every row of which sums to one.
    """
    # [batch, head, query_pos, d_head] @ [batch, head, d_head, key_pos]
    raw = (query / math.sqrt(query.shape[-1])).transpose(1, 2) @ key.permute(0, 2, 3, 1)
    raw = tap(f"{name}.hook_attn_scores_raw", raw)
    mask = causal_mask(raw.shape[-2], raw.shape[-1], raw.device)
    scores = tap(f"{name}.hook_attn_scores", raw.masked_fill(mask, -torch.inf))
    largest = tap(f"{name}.hook_max", scores.amax(-1))  # [batch, head, query_pos]
    exponentials = (scores - largest.unsqueeze(-1)).exp_()
    total = tap(f"{name}.hook_sum", exponentials.sum(-1))  # [batch, head, query_pos]
    return tap(f"{name}.hook_pattern", exponentials.div_(total.unsqueeze(-1)))


def fused_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The same numbers in one kernel that never forms the pattern; `[batch, pos, head, d_head]` in and out."""
    query_count, key_count = query.shape[1], key.shape[1]
    mask = None
    if 1 < query_count < key_count:
        mask = ~causal_mask(query_count, key_count, query.device)
    z = F.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        attn_mask=mask,
        is_causal=query_count == key_count,
    )
    return z.transpose(1, 2)


class MLP(nn.Module):
    """Two linear maps with a nonlinearity between them, at each position alone (Vaswani et al. 2017, eq. 2)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.W_in = nn.Parameter(torch.empty(spec.d_model, spec.d_mlp))
        self.b_in = nn.Parameter(torch.zeros(spec.d_mlp))
        self.W_out = nn.Parameter(torch.empty(spec.d_mlp, spec.d_model))
        self.b_out = nn.Parameter(torch.zeros(spec.d_model))
        self.activation = ACTIVATION_FUNCTIONS[spec.activation]

    def forward(self, x: Tensor, layer: int, tap: Tap = no_tap) -> Tensor:
        """`[batch, pos, d_model]` in and out."""
        batch, pos, d_model = x.shape
        pre = torch.addmm(self.b_in, x.reshape(batch * pos, d_model), self.W_in)
        # rows of all batches back apart: [batch*pos, d_mlp] -> [batch, pos, d_mlp]
        pre = tap(f"blocks.{layer}.mlp.hook_pre", pre.view(batch, pos, -1))
        post = tap(f"blocks.{layer}.mlp.hook_post", self.activation(pre))
        out = torch.addmm(self.b_out, post.reshape(batch * pos, -1), self.W_out)
        return out.view(batch, pos, d_model)


class Block(nn.Module):
    """Attention, then the MLP; each reads the residual stream through a norm and adds to it."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.ln1 = LayerNorm(spec)
        self.attn = Attention(spec)
        self.ln2 = LayerNorm(spec)
        self.mlp = MLP(spec)

    def forward(self, resid: Tensor, layer: int, tap: Tap = no_tap, cache: KeyValueCache | None = None) -> Tensor:
        """`[batch, pos, d_model]` in and out."""
        name = f"blocks.{layer}"
        resid = tap(f"{name}.hook_resid_pre", resid)
        attn_out = self.attn(self.ln1(resid, f"{name}.ln1", tap), layer, tap, cache)
        resid = tap(f"{name}.hook_resid_mid", resid + tap(f"{name}.hook_attn_out", attn_out))
        mlp_out = self.mlp(self.ln2(resid, f"{name}.ln2", tap), layer, tap)
        return tap(f"{name}.hook_resid_post", resid + tap(f"{name}.hook_mlp_out", mlp_out))


class Transformer(nn.Module):
    """A decoder: token ids `[batch, pos]` to logits `[batch, pos, d_vocab]`."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.W_E = nn.Parameter(torch.empty(spec.d_vocab, spec.d_model))
        self.W_pos = nn.Parameter(torch.empty(spec.positions, spec.d_model))
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.layers))
        self.ln_final = LayerNorm(spec)
        self.W_U = None if spec.tied else nn.Parameter(torch.empty(spec.d_model, spec.d_vocab))

    def forward(self, tokens: Tensor) -> Tensor:
        """All logits at once, unobserved: the path that training compiles and that tests compare with."""
        resid = self.embed(tokens)
        for layer, block in enumerate(self.blocks):
            resid = block(resid, layer)
        return self.unembed(resid)

    def stages(
        self, tokens: Tensor, tap: Tap = no_tap, cache: KeyValueCache | None = None
    ) -> Generator[None, None, Tensor]:
        """The same computation with a pause after every layer, so that a scheduler can take turns.

        With a cache, `tokens` are those after the ones it holds, and it is extended by them. The generator
        returns the logits of `tokens`.
        """
        resid = self.embed(tokens, tap, 0 if cache is None else cache.length)
        yield
        for layer, block in enumerate(self.blocks):
            resid = block(resid, layer, tap, cache)
            yield
        if cache is not None:
            cache.length += tokens.shape[1]
        return self.unembed(resid, tap)

    def embed(self, tokens: Tensor, tap: Tap = no_tap, first_position: int = 0) -> Tensor:
        """Rows of `W_E` and `W_pos`, added: `[batch, pos]` to `[batch, pos, d_model]`."""
        token_rows = tap("hook_embed", F.embedding(tokens, self.W_E))
        position_rows = self.W_pos[first_position : first_position + tokens.shape[1]]  # [pos, d_model]
        return token_rows + tap("hook_pos_embed", position_rows.unsqueeze(0))

    def unembed(self, resid: Tensor, tap: Tap = no_tap) -> Tensor:
        """The last norm, then the unembedding: `[batch, pos, d_model]` to `[batch, pos, d_vocab]`."""
        out = self.ln_final(resid, "ln_final", tap)
        return tap("logits", F.linear(out, self.W_E) if self.W_U is None else out @ self.W_U)

    def initialise(self, seed: int) -> None:
        """Random weights as GPT-2's (Radford et al. 2019, section 2.3): deviation 0.02, the layers that write
        to the residual stream scaled down by the square root of their number."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            writes = name.endswith(("W_O", "W_out"))
            deviation = 0.02 / math.sqrt(2 * self.spec.layers) if writes else 0.02
            with torch.no_grad():
                parameter.normal_(0.0, deviation, generator=generator)

    def weight(self, name: str) -> Tensor:
        """A weight under its public name and shape, as a view: no numbers are copied.

        Raises:
            KeyError: this architecture has no such weight.
        """
        parent, _, leaf = name.rpartition(".")
        if name == "W_U" and self.W_U is None:
            return self.W_E.t()  # [d_vocab, d_model] -> [d_model, d_vocab]
        if leaf in ("W_Q", "W_K", "W_V", "b_Q", "b_K", "b_V"):
            return self._head_slice(parent, leaf)
        try:
            tensor = self.get_parameter(name)
        except AttributeError as error:
            raise KeyError(name) from error
        if leaf == "W_O":
            # [head*d_head, d_model] -> [head, d_head, d_model]
            return tensor.view(self.spec.heads, self.spec.d_head, self.spec.d_model)
        return tensor

    def _head_slice(self, parent: str, leaf: str) -> Tensor:
        """The part of the joint projection that makes queries, keys or values, cut into heads."""
        heads, d_head = self.spec.heads, self.spec.d_head
        index = "QKV".index(leaf[-1])
        joint = self.get_parameter(f"{parent}.{leaf[0]}_QKV")
        part = joint.narrow(-1, index * heads * d_head, heads * d_head)
        if leaf.startswith("b"):
            return part.view(heads, d_head)
        # [d_model, head*d_head] -> [head, d_model, d_head]
        cut: Tensor = part.unflatten(1, (heads, d_head))
        return cut.permute(1, 0, 2)
