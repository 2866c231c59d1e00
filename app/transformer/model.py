"""One transformer for every kind: a decoder, an encoder, or an encoder with a decoder that reads it.

`layers.py` has what a block is made of, `blocks.py` declares every tensor computed here. A model of one stack is
that stack; an encoder-decoder has two, and one vocabulary.
"""

import math
from collections.abc import Generator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import ACTIVATION_FUNCTIONS, MLP, Attention, KeyValueCache, Norm, Pass, Tap, linear, no_tap, wide_linear
from .positions import rotary_tables, sinusoids
from .spec import Spec

__all__ = ["KeyValueCache", "Tap", "Transformer", "no_tap"]

Stages = Generator[None, None, Tensor]


class Block(nn.Module):
    """Attention, over the memory too if there is one, and an MLP; each reads the residual stream and adds to it."""

    def __init__(self, spec: Spec, fused: bool, causal: bool, crossed: bool) -> None:
        super().__init__()
        self.spec = spec
        centred = spec.norm == "layer"
        self.ln1 = Norm(spec.d_model, spec, centred)
        self.attn = Attention(spec, fused, causal)
        if crossed:
            self.ln2 = Norm(spec.d_model, spec, centred)
            self.cross_attn = Attention(spec, False, causal, crossed=True)
            self.ln3 = Norm(spec.d_model, spec, centred)
        elif not spec.shared_norm:
            self.ln2 = Norm(spec.d_model, spec, centred)
        self.mlp = MLP(spec)
        self.crossed = crossed

    def forward(self, resid: Tensor, name: str, given: Pass) -> Tensor:
        """Compute the block: `[batch, pos, d_model]` to `[batch, pos, d_model]`."""
        if self.spec.parallel:
            return self._parallel(resid, name, given)
        if self.spec.norm_place == "post":
            return self._post_norm(resid, name, given)
        return self._pre_norm(resid, name, given)

    def _pre_norm(self, resid: Tensor, name: str, given: Pass) -> Tensor:
        tap = given.tap
        added = self.attn(self.ln1(resid, f"{name}.ln1", tap), f"{name}.attn", given)
        resid = tap(f"{name}.hook_resid_mid", resid + tap(f"{name}.hook_attn_out", added))
        last, number = self.ln2, 2
        if self.crossed:
            added = self.cross_attn(self.ln2(resid, f"{name}.ln2", tap), f"{name}.cross_attn", given)
            resid = tap(f"{name}.hook_resid_mid_cross", resid + tap(f"{name}.hook_cross_attn_out", added))
            last, number = self.ln3, 3
        added = self.mlp(last(resid, f"{name}.ln{number}", tap), f"{name}.mlp", tap)
        return tap(f"{name}.hook_resid_post", resid + tap(f"{name}.hook_mlp_out", added))

    def _post_norm(self, resid: Tensor, name: str, given: Pass) -> Tensor:
        tap = given.tap
        added = self.attn(resid, f"{name}.attn", given)
        resid = tap(f"{name}.hook_resid_mid", resid + tap(f"{name}.hook_attn_out", added))
        resid = self.ln1(resid, f"{name}.ln1", tap)
        last, number = self.ln2, 2
        if self.crossed:
            added = self.cross_attn(resid, f"{name}.cross_attn", given)
            resid = tap(f"{name}.hook_resid_mid_cross", resid + tap(f"{name}.hook_cross_attn_out", added))
            resid = self.ln2(resid, f"{name}.ln2", tap)
            last, number = self.ln3, 3
        added = self.mlp(resid, f"{name}.mlp", tap)
        resid = tap(f"{name}.hook_resid_sum", resid + tap(f"{name}.hook_mlp_out", added))
        out: Tensor = last(resid, f"{name}.ln{number}", tap, output=f"{name}.hook_resid_post")
        return out

    def _parallel(self, resid: Tensor, name: str, given: Pass) -> Tensor:
        tap = given.tap
        read = self.ln1(resid, f"{name}.ln1", tap)
        attention = tap(f"{name}.hook_attn_out", self.attn(read, f"{name}.attn", given))
        if not self.spec.shared_norm:
            read = self.ln2(resid, f"{name}.ln2", tap)
        added = tap(f"{name}.hook_mlp_out", self.mlp(read, f"{name}.mlp", tap))
        return tap(f"{name}.hook_resid_post", resid + attention + added)


class Stack(nn.Module):
    """Embeddings, blocks, and what norms stand before and after them."""

    def __init__(self, spec: Spec, name: str, layers: int, fused: bool) -> None:
        super().__init__()
        self.build(spec, name, layers, fused)

    def build(self, spec: Spec, name: str, layers: int, fused: bool) -> None:
        """Make every part; `name` is empty or `encoder` or `decoder`."""
        self.prefix = f"{name}." if name else ""
        positions = spec.source_positions if name == "encoder" else spec.positions
        self.positions, self.scale = positions, spec.embedding_scale
        self.sinusoid_pairs = spec.sinusoid_pairs if spec.position_kind == "sinusoidal" else None
        self._sinusoids: Tensor | None = None
        causal, centred = spec.causal and name != "encoder", spec.norm == "layer"
        if spec.position_kind == "learned":
            self.W_pos = nn.Parameter(torch.empty(positions, spec.d_model))
        if spec.token_types:
            self.W_token_type = nn.Parameter(torch.empty(spec.token_types, spec.d_model))
        if spec.relative:
            self.W_rel = nn.Parameter(torch.empty(spec.relative.buckets, spec.heads))
        self.ln_embed = Norm(spec.d_model, spec, centred) if spec.embedding_norm else None
        self.blocks = nn.ModuleList(Block(spec, fused, causal, name == "decoder") for _ in range(layers))
        for layer, block in enumerate(self.blocks):
            block.attn.window = spec.window_of(layer)  # type: ignore[union-attr]
            block.attn.scale = spec.score_scale_of(layer)  # type: ignore[union-attr]
        self.ln_final = Norm(spec.d_model, spec, centred) if spec.final_norm else None

    def position_table(self, like: Tensor) -> Tensor | None:
        """Return `W_pos [pos, d_model]`, learned or computed; None where positions are told in another way."""
        if self.sinusoid_pairs is None:
            return self.W_pos if "W_pos" in self._parameters else None
        table = self._sinusoids
        if table is None or table.device != like.device or table.dtype != like.dtype:
            table = sinusoids(self.positions, like.shape[-1], self.sinusoid_pairs).to(like)
            self._sinusoids = table
        return table

    def embed(
        self, tokens: Tensor, vocabulary: Tensor, tap: Tap, first_position: int = 0, types: Tensor | None = None
    ) -> Tensor:
        """Add rows of `W_E` and of the other tables: `[batch, pos]` to `[batch, pos, d_model]`.

        `types [batch, pos]` are the tokens' kinds; without them all are of the first.
        """
        rows = F.embedding(tokens, vocabulary)
        stream = tap(f"{self.prefix}hook_embed", rows * self.scale if self.scale != 1 else rows)
        added = self._places(vocabulary, tokens.shape[1], tap, first_position, types)
        for part in added:
            stream = stream + part
        first = f"{self.prefix}blocks.0.hook_resid_pre"
        if self.ln_embed is None:
            return tap(first, stream) if added else stream
        summed = tap(f"{self.prefix}hook_embed_sum", stream) if added else stream
        out: Tensor = self.ln_embed(summed, f"{self.prefix}ln_embed", tap, output=first)
        return out

    def _places(self, vocabulary: Tensor, count: int, tap: Tap, first: int, types: Tensor | None) -> list[Tensor]:
        """Return what position and kind of text add to a token's row, each `[1, pos, d_model]`."""
        found = []
        table = self.position_table(vocabulary)
        if table is not None:
            found.append(tap(f"{self.prefix}hook_pos_embed", table[first : first + count].unsqueeze(0)))
        if "W_token_type" in self._parameters:
            alike = self.W_token_type[0].expand(1, count, -1)  # [1, pos, d_model]
            kinds = alike if types is None else F.embedding(types, self.W_token_type)
            found.append(tap(f"{self.prefix}hook_token_type_embed", kinds))
        return found

    def layers(self, resid: Tensor, given: Pass) -> Stages:
        """Run every block, with a pause after each, then the last norm: `[batch, pos, d_model]` in and out."""
        given.relative = self.W_rel if "W_rel" in self._parameters else None
        for layer, block in enumerate(self.blocks):
            given.layer = layer
            resid = block(resid, f"{self.prefix}blocks.{layer}", given)
            yield
        if self.ln_final is not None:
            resid = self.ln_final(resid, f"{self.prefix}ln_final", given.tap)
        return resid


class LanguageHead(nn.Module):
    """BERT's step before the unembedding (Devlin et al. 2018): a linear map, the activation, a norm."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(spec.d_model, spec.d_model))
        self.b = nn.Parameter(torch.zeros(spec.d_model))
        self.ln = Norm(spec.d_model, spec, spec.norm == "layer")
        self.activation = ACTIVATION_FUNCTIONS[spec.activation]

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """Transform what the head reads: `[batch, pos, d_model]` to `[batch, pos, d_model]`."""
        pre = tap("mlm_head.hook_pre", linear(x, self.W, self.b))
        out: Tensor = self.ln(tap("mlm_head.hook_post", self.activation(pre)), "mlm_head.ln", tap)
        return out


class Transformer(Stack):
    """Token ids `[batch, pos]` to logits `[batch, pos, d_vocab]`."""

    def __init__(self, spec: Spec, fused: bool = True) -> None:
        """Make the layers. With `fused`, each block's three projections are one parameter `W_QKV`."""
        nn.Module.__init__(self)
        self.spec = spec
        self.W_E = nn.Parameter(torch.empty(spec.d_vocab, spec.d_model))
        if spec.kind == "encoder_decoder":
            self.encoder = Stack(spec, "encoder", spec.encoder_layers, fused)
            self.decoder = Stack(spec, "decoder", spec.layers, fused)
        else:
            self.build(spec, "", spec.layers, fused)
        self.mlm_head = LanguageHead(spec) if spec.head_transform else None
        self.W_U = None if spec.tied else nn.Parameter(torch.empty(spec.d_model, spec.d_vocab))
        self.b_U = nn.Parameter(torch.zeros(spec.d_vocab)) if spec.unembed_bias else None
        self._turns: tuple[Tensor, Tensor] | None = None

    @property
    def last(self) -> Stack:
        """Return the stack whose output becomes logits, or is the model's."""
        return self.decoder if self.spec.kind == "encoder_decoder" else self

    def forward(
        self,
        tokens: Tensor,
        source: Tensor | None = None,
        padding: Tensor | None = None,
        source_padding: Tensor | None = None,
    ) -> Tensor:
        """Compute all logits at once, unobserved: training compiles this path, and tests compare with it.

        `padding` and `source_padding`, `[batch, pos]`, are true where a token is no text.
        """
        return finish(self.stages(tokens, source=source, padding=padding, source_padding=source_padding))

    def stages(
        self,
        tokens: Tensor,
        tap: Tap = no_tap,
        cache: KeyValueCache | None = None,
        source: Tensor | None = None,
        padding: Tensor | None = None,
        source_padding: Tensor | None = None,
        last_only: bool = False,
        types: Tensor | None = None,
    ) -> Stages:
        """Compute the same with a pause after every layer, so that a scheduler can take turns.

        With a cache, `tokens` are those after the ones it holds, and it is extended by them; the `source` of an
        encoder-decoder is read once, with the first tokens. `types [batch, pos]` are the tokens' kinds. The generator
        returns the logits of `tokens`, with `last_only` those of the last one; of a model without a language head,
        their last hidden states.
        """
        memory = yield from self._memory(source, tap, cache, source_padding)
        first = 0 if cache is None else cache.length
        resid = self.last.embed(tokens, self.W_E, tap, first, types)
        turn = self._turn(first, tokens.shape[1])
        yield
        given = Pass(tap, cache, turn, padding=padding, memory=memory, memory_padding=source_padding)
        resid = yield from self.last.layers(resid, given)
        if cache is not None:
            cache.length += tokens.shape[1]
        resid = resid[:, -1:] if last_only else resid
        return self.unembed(resid, tap) if self.spec.head else resid

    def _memory(
        self, source: Tensor | None, tap: Tap, cache: KeyValueCache | None, padding: Tensor | None
    ) -> Generator[None, None, Tensor | None]:
        """Encode the source, `[batch, pos, d_model]`; None where there is no encoder."""
        if self.spec.kind != "encoder_decoder":
            return None
        if cache is not None and cache.memory is not None:
            return cache.memory
        if source is None:
            raise ValueError("an encoder-decoder needs a source to read")
        resid = self.encoder.embed(source, self.W_E, tap)
        yield
        memory = yield from self.encoder.layers(resid, Pass(tap, turn=self._turn(0, source.shape[1]), padding=padding))
        if cache is not None:
            cache.memory = memory
        return memory

    def _turn(self, first: int, count: int) -> tuple[Tensor, Tensor] | None:
        """Return rotary cosines and sines of `count` positions, each `[pos, d_head]`; kept up to the longest seen."""
        if self.spec.rotary is None:
            return None
        held = self._turns
        if held is None or len(held[0]) < first + count or held[0].device != self.W_E.device:
            length = min(self.spec.positions, max(256, 2 * (first + count)))
            cosines, sines = rotary_tables(self.spec, max(length, first + count))
            held = self._turns = cosines.to(self.W_E), sines.to(self.W_E)
        return held[0][first : first + count], held[1][first : first + count]

    def unembed(self, resid: Tensor, tap: Tap = no_tap) -> Tensor:
        """Map the last stack's output to logits: `[batch, pos, d_model]` to `[batch, pos, d_vocab]`."""
        if self.mlm_head is not None:
            resid = self.mlm_head(resid, tap)
        if self.spec.unembed_scale != 1:
            resid = resid * self.spec.unembed_scale
        unembedding = self.W_E.T if self.W_U is None else self.W_U  # [d_model, d_vocab]
        return tap("logits", wide_linear(resid, unembedding, self.b_U))

    def initialise(self, seed: int) -> None:
        """Draw random weights as GPT-2's (Radford et al. 2019, section 2.3): deviation 0.02, the layers that write
        to the residual stream scaled down by the square root of their number."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            writes = name.endswith(("W_O", "W_out"))
            deviation = 0.02 / math.sqrt(2 * self.spec.layers) if writes else 0.02
            with torch.no_grad():
                parameter.normal_(0.0, deviation, generator=generator)

    def attention(self, name: str) -> tuple[Attention, Tensor | None]:
        """Find the attention called `name`, such as `blocks.0.attn`, and its stack's table of relative biases."""
        module = self.get_submodule(name)
        assert isinstance(module, Attention)
        stack = self.encoder if name.startswith("encoder.") else self.last
        return module, stack.W_rel if "W_rel" in stack._parameters else None

    def weight(self, name: str) -> Tensor:
        """Return a weight under its public name and shape: a view, no numbers are copied, or a table that is computed.

        Raises:
            KeyError: this architecture has no such weight.
        """
        parent, _, leaf = name.rpartition(".")
        if name == "W_U" and self.W_U is None:
            return self.W_E.t()  # [d_vocab, d_model] -> [d_model, d_vocab]
        if name in ("rotary_cos", "rotary_sin") and self.spec.rotary is not None:
            tables = rotary_tables(self.spec, self.spec.positions)
            return tables[name == "rotary_sin"].to(self.W_E)
        try:
            if leaf == "W_pos" and self.spec.position_kind == "sinusoidal":
                stack = self.get_submodule(parent) if parent else self
                table = stack.position_table(self.W_E) if isinstance(stack, Stack) else None
                assert table is not None
                return table
            if leaf in ("W_Q", "W_K", "W_V", "b_Q", "b_K", "b_V"):
                return self._head_slice(parent, leaf)
            tensor = self.get_parameter(name)
        except AttributeError as error:
            raise KeyError(name) from error
        if leaf == "W_O":
            # [head*d_head, d_model] -> [head, d_head, d_model]
            parted: Tensor = tensor.unflatten(0, (self.spec.heads, self.spec.d_head))
            return parted
        return tensor

    def _head_slice(self, parent: str, leaf: str) -> Tensor:
        """Return what makes queries, keys or values, cut into heads."""
        attention = self.get_submodule(parent)
        if not isinstance(attention, Attention):
            raise AttributeError(leaf)
        letter = leaf[-1]
        if attention.fused:
            joint = attention.get_parameter(f"{leaf[0]}_QKV")
            part = joint.split(list(attention.widths.values()), -1)["QKV".index(letter)]
        else:
            part = attention.get_parameter(leaf)
        cut: Tensor = part.unflatten(-1, (-1, self.spec.d_head))
        # [d_model, head*d_head] -> [head, d_model, d_head]; a bias is [head*d_head] -> [head, d_head]
        return cut if leaf.startswith("b") else cut.permute(1, 0, 2)


def finish(stages: Stages) -> Tensor:
    """Run a staged pass to its end; its logits."""
    while True:
        try:
            next(stages)
        except StopIteration as stop:
            logits: Tensor = stop.value
            return logits
