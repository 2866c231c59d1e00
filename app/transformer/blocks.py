"""From a spec to its graph: embeddings, blocks and output, written once for every kind of transformer.

    build_graph(spec).op_making("blocks.0.attn.hook_q").equation

`_Stack` follows the branches of `Block` in `model.py` one by one, and shares no code with
it: the model computes what is declared here, tensor by tensor, and tests hold the two together.
"""

from dataclasses import dataclass
from typing import Literal

from .graph import (
    Axis,
    Bucket,
    Constant,
    Free,
    Graph,
    Index,
    Lookup,
    Pair,
    Read,
)
from .graph_builder import GraphBuilder, at, cell
from .spec import Spec

SQUARE = ("head", "query_pos", "key_pos")


def build_graph(spec: Spec) -> Graph:
    """Write the graph of a transformer with this spec."""
    builder = GraphBuilder(spec)
    builder.weight("W_E", "d_vocab", "d_model")
    if spec.position_kind == "rotary":
        builder.weight("rotary_cos", "pos", "d_head", learned=False)
        builder.weight("rotary_sin", "pos", "d_head", learned=False)
    memory = None
    if spec.kind == "encoder_decoder":
        memory = _Stack(builder, "encoder", spec.encoder_layers).write()
        final = _Stack(builder, "decoder", spec.layers, memory).write()
    else:
        final = _Stack(builder, None, spec.layers).write()
    if spec.head:
        _write_output(builder, final)
    return Graph(tuple(builder.tensors), tuple(builder.ops), spec.axis_sizes)


def stack_prefix(stack: Literal["encoder", "decoder"] | None) -> str:
    """Return the prefix of the names of a stack's tensors."""
    return f"{stack}." if stack else ""


@dataclass
class _Stack:
    """One stack of blocks: the only one of a decoder or encoder, or one of the two of an encoder-decoder."""

    builder: GraphBuilder
    name: Literal["encoder", "decoder"] | None
    layers: int
    memory: str | None = None

    def write(self) -> str:
        """Write everything from the embeddings to the last norm; return the name of its output."""
        b = self.builder
        b.stack = self.name
        stream = self._embed()
        for layer in range(self.layers):
            b.layer = layer
            if layer:
                b.alias(f"{self.prefix}blocks.{layer}.hook_resid_pre", stream, ("pos", "d_model"))
            stream = self._block(f"{self.prefix}blocks.{layer}", stream)
        b.layer = None
        if b.spec.final_norm:
            stream = b.norm(f"{self.prefix}ln_final", stream, ("pos", "d_model"))
        b.stack = None
        return stream

    @property
    def prefix(self) -> str:
        return stack_prefix(self.name)

    @property
    def causal(self) -> bool:
        return self.builder.spec.causal and self.name != "encoder"

    def _embed(self) -> str:
        b, spec, stream_axes = self.builder, self.builder.spec, ("pos", "d_model")
        first = f"{self.prefix}blocks.0.hook_resid_pre"
        if spec.position_kind in ("learned", "sinusoidal"):
            b.weight(f"{self.prefix}W_pos", *stream_axes, learned=spec.position_kind == "learned")
        if spec.token_types:
            b.weight(f"{self.prefix}W_token_type", "token_type", "d_model")
        if spec.relative:
            b.weight(f"{self.prefix}W_rel", "bucket", "head")
        token = Lookup("source_tokens" if self.name == "encoder" else "tokens", at("pos"))
        scaled: dict[str, float | str] = {"scale": spec.embedding_scale} if spec.embedding_scale != 1 else {}
        looked_up = [Read("W_E", (token, Axis("d_model")))]
        parts = [
            b.op("embed", f"{self.prefix}hook_embed", stream_axes, "look up each token", looked_up, constants=scaled)
        ]
        if spec.position_kind in ("learned", "sinusoidal"):
            reads = [cell(f"{self.prefix}W_pos", *stream_axes)]
            parts.append(b.op("embed", f"{self.prefix}hook_pos_embed", stream_axes, "look up each position", reads))
        if spec.token_types:
            # Of several kinds each token has its own: the second of two sentences is of the second.
            kind = Lookup("token_types", at("pos")) if spec.token_types > 1 else Constant(0)
            reads = [Read(f"{self.prefix}W_token_type", (kind, Axis("d_model")))]
            title = "look up the kind of text"
            parts.append(b.op("embed", f"{self.prefix}hook_token_type_embed", stream_axes, title, reads))
        stream = parts[0]
        if len(parts) > 1:
            output = f"{self.prefix}hook_embed_sum" if spec.embedding_norm else first
            b.layer = None if spec.embedding_norm else 0
            title = " plus ".join(("token", "position", "kind of text")[: len(parts)])
            stream = b.op("add", output, stream_axes, title, [cell(part, *stream_axes) for part in parts])
            b.layer = None
        if spec.embedding_norm:
            return b.norm(f"{self.prefix}ln_embed", stream, stream_axes, output=first)
        if len(parts) == 1:
            b.layer = 0
            b.alias(first, stream, stream_axes)
            b.layer = None
        return stream

    def _block(self, block: str, stream: str) -> str:
        if self.builder.spec.parallel:
            return self._parallel_block(block, stream)
        if self.builder.spec.norm_place == "post":
            return self._post_norm_block(block, stream)
        return self._pre_norm_block(block, stream)

    def _pre_norm_block(self, block: str, stream: str) -> str:
        b, axes = self.builder, ("pos", "d_model")
        read = b.norm(f"{block}.ln1", stream, axes)
        added = self._attention(f"{block}.attn", f"{block}.hook_attn_out", read, read)
        stream = self._add(f"{block}.hook_resid_mid", "add attention to the residual stream", stream, added)
        number = 2
        if self.memory:
            read = b.norm(f"{block}.ln2", stream, axes)
            added = self._attention(f"{block}.cross_attn", f"{block}.hook_cross_attn_out", read, self.memory)
            title = "add cross-attention to the residual stream"
            stream = self._add(f"{block}.hook_resid_mid_cross", title, stream, added)
            number = 3
        read = b.norm(f"{block}.ln{number}", stream, axes)
        added = self._mlp(block, read)
        return self._add(f"{block}.hook_resid_post", "add the MLP to the residual stream", stream, added)

    def _post_norm_block(self, block: str, stream: str) -> str:
        b, axes = self.builder, ("pos", "d_model")
        added = self._attention(f"{block}.attn", f"{block}.hook_attn_out", stream, stream)
        stream = self._add(f"{block}.hook_resid_mid", "add attention to the residual stream", stream, added)
        stream = b.norm(f"{block}.ln1", stream, axes)
        number = 2
        if self.memory:
            added = self._attention(f"{block}.cross_attn", f"{block}.hook_cross_attn_out", stream, self.memory)
            title = "add cross-attention to the residual stream"
            stream = self._add(f"{block}.hook_resid_mid_cross", title, stream, added)
            stream = b.norm(f"{block}.ln2", stream, axes)
            number = 3
        added = self._mlp(block, stream)
        stream = self._add(f"{block}.hook_resid_sum", "add the MLP to the residual stream", stream, added)
        return b.norm(f"{block}.ln{number}", stream, axes, output=f"{block}.hook_resid_post")

    def _parallel_block(self, block: str, stream: str) -> str:
        b, axes = self.builder, ("pos", "d_model")
        read = b.norm(f"{block}.ln1", stream, axes)
        attention = self._attention(f"{block}.attn", f"{block}.hook_attn_out", read, read)
        if not b.spec.shared_norm:
            read = b.norm(f"{block}.ln2", stream, axes)
        added = self._mlp(block, read)
        title = "add attention and MLP to the residual stream"
        return self._add(f"{block}.hook_resid_post", title, stream, attention, added)

    def _add(self, output: str, title: str, *parts: str) -> str:
        axes = ("pos", "d_model")
        return self.builder.op("add", output, axes, title, [cell(part, *axes) for part in parts])

    def _attention(self, attn: str, output: str, source: str, memory: str) -> str:
        """Write attention of `source` over `memory`, the same in self-attention; return the name of what it adds."""
        b, spec = self.builder, self.builder.spec
        crossed = attn.endswith("cross_attn")
        shared = "head" if spec.kv_heads == spec.heads else "kv_head"
        b.weight(f"{attn}.W_Q", "head", "d_model", "d_head")
        for letter in "KV":
            b.weight(f"{attn}.W_{letter}", shared, "d_model", "d_head")
        if spec.qkv_bias:
            b.weight(f"{attn}.b_Q", "head", "d_head")
            for letter in "KV":
                b.weight(f"{attn}.b_{letter}", shared, "d_head")
        query = self._projection(attn, "q", "queries of every head", source, "head", ())
        far = ("pos",) if crossed else ()
        key = self._projection(attn, "k", "keys of every head", memory, shared, far)
        value = self._projection(attn, "v", "values of every head", memory, shared, far)
        if spec.query_key_norm:
            query = b.norm(f"{attn}.q_norm", query, ("pos", "head", "d_head"))
            key = b.norm(f"{attn}.k_norm", key, ("pos", shared, "d_head"))
        if spec.position_kind == "rotary" and not crossed:
            query = self._rotated(f"{attn}.hook_rot_q", query, "head")
            key = self._rotated(f"{attn}.hook_rot_k", key, shared)
        pattern = self._pattern(attn, query, key, crossed)
        return self._mixed(attn, output, pattern, value)

    def _projection(
        self, attn: str, letter: str, title: str, source: str, head: str, source_axes: tuple[str, ...]
    ) -> str:
        reads = [
            Read(source, (Axis("pos"), Free("d_model"))),
            Read(f"{attn}.W_{letter.upper()}", (Axis(head), Free("d_model"), Axis("d_head"))),
        ]
        if self.builder.spec.qkv_bias:
            reads.append(cell(f"{attn}.b_{letter.upper()}", head, "d_head", part="bias"))
        axes = ("pos", head, "d_head")
        return self.builder.op("einsum", f"{attn}.hook_{letter}", axes, title, reads, source_axes=source_axes)

    def _rotated(self, output: str, vectors: str, head: str) -> str:
        rotary = self.builder.spec.rotary
        assert rotary is not None
        axes = ("pos", head, "d_head")
        where = f"d_head < {rotary.dims}" if rotary.dims < self.builder.spec.d_head else None
        partner = (Axis("pos"), Axis(head), Pair("d_head", rotary.dims, rotary.pairs))
        reads = [
            cell(vectors, *axes),
            Read(vectors, partner, "partner", where),
            cell("rotary_cos", "pos", "d_head", part="cosine"),
            Read("rotary_sin", at("pos", "d_head"), "sine", where),
        ]
        title = "turn each pair by its position"
        return self.builder.op(
            "rotate", output, axes, title, reads, constants={"size": rotary.dims, "layout": rotary.pairs}
        )

    def _pattern(self, attn: str, query: str, key: str, crossed: bool) -> str:
        b, spec = self.builder, self.builder.spec
        group = spec.heads // spec.kv_heads
        far: tuple[str, ...] = ("key_pos",) if crossed else ()
        masked = self.causal and not crossed
        reads = [
            Read(query, (Axis("query_pos"), Axis("head"), Free("d_head"))),
            Read(key, (Axis("key_pos"), Axis("head", group), Free("d_head"))),
        ]
        if spec.relative and not crossed:
            bucket = Bucket(
                ("query_pos", "key_pos"), spec.relative.buckets, spec.relative.max_distance, not self.causal
            )
            index: tuple[Index, ...] = (bucket, Axis("head"))
            reads.append(Read(f"{self.prefix}W_rel", index, "bias"))
        raw = f"{attn}.hook_attn_scores_raw" if masked else f"{attn}.hook_attn_scores"
        title = "match of each query with each key"
        scale = spec.score_scale_of(b.layer or 0)
        b.op("einsum", raw, SQUARE, title, reads, source_axes=far, constants={"scale": scale})
        scores = f"{attn}.hook_attn_scores"
        if masked:
            window = spec.window_of(b.layer or 0)
            where = "key_pos <= query_pos" + (f" and key_pos > query_pos - {window}" if window else "")
            title = "hide the future" + (f" and what is {window} or more back" if window else "")
            b.op("mask", scores, SQUARE, title, [Read(raw, at(*SQUARE), where=where)])
        row = Read(scores, (Axis("head"), Axis("query_pos"), Free("key_pos")))
        rows = ("head", "query_pos")
        largest = cell(f"{attn}.hook_max", *rows, part="maximum")
        total = cell(f"{attn}.hook_sum", *rows, part="sum")
        b.op("maximum", f"{attn}.hook_max", rows, "largest score of each query", [row], role="summary")
        b.op("sum_exponentials", f"{attn}.hook_sum", rows, "softmax's divisor", [row, largest], role="summary")
        reads = [cell(scores, *SQUARE), largest, total]
        title = "share of attention"
        return b.op(
            "softmax",
            f"{attn}.hook_pattern",
            SQUARE,
            title,
            reads,
            role="probability",
            source_axes=far,
            constants={"axis": "key_pos"},
        )

    def _mixed(self, attn: str, output: str, pattern: str, value: str) -> str:
        b, spec = self.builder, self.builder.spec
        group = spec.heads // spec.kv_heads
        reads = [
            Read(pattern, (Axis("head"), Axis("pos"), Free("key_pos"))),
            Read(value, (Free("key_pos"), Axis("head", group), Axis("d_head"))),
        ]
        z = b.op("einsum", f"{attn}.hook_z", ("pos", "head", "d_head"), "values, weighed by attention", reads)
        b.weight(f"{attn}.W_O", "head", "d_head", "d_model")
        reads = [
            Read(z, (Axis("pos"), Axis("head"), Free("d_head"))),
            Read(f"{attn}.W_O", (Axis("head"), Free("d_head"), Axis("d_model"))),
        ]
        title = "what each head alone adds"
        b.op("einsum", f"{attn}.hook_result", ("pos", "head", "d_model"), title, reads, derived=True)
        reads = [
            Read(z, (Axis("pos"), Free("head"), Free("d_head"))),
            Read(f"{attn}.W_O", (Free("head"), Free("d_head"), Axis("d_model"))),
        ]
        if spec.attention_bias:
            b.weight(f"{attn}.b_O", "d_model")
            reads.append(cell(f"{attn}.b_O", "d_model", part="bias"))
        return b.op("einsum", output, ("pos", "d_model"), "heads back into the stream's axes", reads)

    def _mlp(self, block: str, source: str) -> str:
        b, spec, mlp, axes = self.builder, self.builder.spec, f"{block}.mlp", ("pos", "d_mlp")

        def linear(weight: str, output: str, bias: str | None, title: str) -> str:
            reads = [
                Read(source, (Axis("pos"), Free("d_model"))),
                Read(f"{mlp}.{weight}", (Free("d_model"), Axis("d_mlp"))),
            ]
            if bias:
                reads.append(cell(f"{mlp}.{bias}", "d_mlp", part="bias"))
            return b.op("einsum", f"{mlp}.{output}", axes, title, reads)

        bias = "b_in" if spec.mlp_bias else None
        if spec.gated:
            b.weight(f"{mlp}.W_gate", "d_model", "d_mlp")
        b.weight(f"{mlp}.W_in", "d_model", "d_mlp")
        if bias:
            b.weight(f"{mlp}.b_in", "d_mlp")
        first = "W_gate" if spec.gated else "W_in"
        title = "gates before the nonlinearity" if spec.gated else "neurons before the nonlinearity"
        pre = linear(first, "hook_pre", None if spec.gated else bias, title)
        post = f"{mlp}.hook_gate" if spec.gated else f"{mlp}.hook_post"
        function: dict[str, float | str] = {"function": spec.activation}
        post = b.op("activation", post, axes, spec.activation, [cell(pre, *axes)], constants=function)
        if spec.gated:
            straight = linear("W_in", "hook_pre_linear", bias, "what the gates let through")
            title = "each neuron times its gate"
            reads = [cell(post, *axes), cell(straight, *axes)]
            post = b.op("multiply", f"{mlp}.hook_post", axes, title, reads)
        b.weight(f"{mlp}.W_out", "d_mlp", "d_model")
        reads = [
            Read(post, (Axis("pos"), Free("d_mlp"))),
            Read(f"{mlp}.W_out", (Free("d_mlp"), Axis("d_model"))),
        ]
        if bias:
            b.weight(f"{mlp}.b_out", "d_model")
            reads.append(cell(f"{mlp}.b_out", "d_model", part="bias"))
        title = "neurons back into the stream's axes"
        return b.op("einsum", f"{block}.hook_mlp_out", ("pos", "d_model"), title, reads)


def _write_output(b: GraphBuilder, stream: str) -> None:
    """Write unembedding and probabilities; a transform before them where the spec has one (BERT's language head)."""
    spec, width = b.spec, "d_model"
    if spec.head_transform:
        width, axes = "d_transform", ("pos", "d_transform")
        b.weight("mlm_head.W", "d_model", "d_transform")
        b.weight("mlm_head.b", "d_transform")
        reads = [
            Read(stream, (Axis("pos"), Free("d_model"))),
            Read("mlm_head.W", (Free("d_model"), Axis("d_transform"))),
            cell("mlm_head.b", "d_transform", part="bias"),
        ]
        pre = b.op("einsum", "mlm_head.hook_pre", axes, "prepare to name the token", reads)
        reads = [cell(pre, *axes)]
        post = b.op(
            "activation", "mlm_head.hook_post", axes, spec.activation, reads, constants={"function": spec.activation}
        )
        stream = b.norm("mlm_head.ln", post, axes)
    if spec.tied:
        b.alias("W_U", "W_E", (width, "d_vocab"), transposed=True)
    else:
        b.weight("W_U", width, "d_vocab")
    reads = [Read(stream, (Axis("pos"), Free(width))), Read("W_U", (Free(width), Axis("d_vocab")))]
    if spec.unembed_bias:
        b.weight("b_U", "d_vocab")
        reads.append(cell("b_U", "d_vocab", part="bias"))
    title = "score of every token to come next" if spec.writes else "score of every token at each place"
    scaled: dict[str, float | str] = {"scale": spec.unembed_scale} if spec.unembed_scale != 1 else {}
    b.op("einsum", "logits", ("pos", "d_vocab"), title, reads, constants=scaled)
    reads = [cell("logits", "pos", "d_vocab"), Read("logits", (Axis("pos"), Free("d_vocab")), part="row")]
    title = title.replace("score", "probability")
    b.op(
        "softmax",
        "probabilities",
        ("pos", "d_vocab"),
        title,
        reads,
        role="probability",
        derived=True,
        constants={"axis": "d_vocab"},
    )
