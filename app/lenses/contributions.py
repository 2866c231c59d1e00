"""Who made a logit: what the embeddings, every head, every MLP and the biases add to it, exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..runs.run import Run
from ..transformer.graph import Graph
from .drawing import Chart, bars, heat_map, quoted
from .lens import Lens, Place, View, positions_read
from .parameters import LensError, Parameter
from .parts import output_position, output_prefix, stream
from .readout import LinearReadout, linear_readout, why_not_linear

_WORDS = {
    "hook_embed": "token embedding",
    "hook_pos_embed": "position embedding",
    "hook_token_type_embed": "kind of text",
    "hook_resid_pre": "embeddings, normed",
}


@dataclass(frozen=True)
class Part:
    """One summand of a logit. `head` is None but for a head; `layer` is None for embeddings and biases at the end."""

    label: str
    value: float
    layer: int | None
    kind: str
    head: int | None
    place: Place | None


def _leaves(graph: Graph, name: str) -> list[str]:
    """List the tensors that were added up to make the stream at `name`, in order."""
    source = graph.tensor(name).same_as or name
    op = graph.op_making(source)
    if op is None or op.kind != "add":
        return [source]
    return [leaf for read in op.reads for leaf in _leaves(graph, read.tensor)]


def parts_of(run: Run, readout: LinearReadout, pos: int, token: int) -> list[Part]:
    """List the summands of one token's logit at a position, in the order in which the model adds them.

    Each is `vector · direction / scale`, with the scale that the last norm had there (Elhage et al. 2021, "A
    Mathematical Framework for Transformer Circuits": logit attribution, the norm's scale held fixed).
    """
    graph, spec = run.loaded.graph, run.loaded.spec
    prefix = output_prefix(spec)
    direction = readout.direction(token)
    if spec.final_norm:
        direction = direction / float(run.recorder.read(f"{prefix}ln_final.hook_scale", pos, pos + 1)[0])
    found: list[Part] = []
    for leaf in _leaves(graph, stream(spec, graph, prefix)[-1].name):
        info = graph.tensor(leaf)
        if leaf.endswith("attn_out"):
            found.extend(_attention_parts(run, leaf, pos, direction))
        elif leaf.endswith("mlp_out"):
            found.extend(_mlp_parts(run, leaf, pos, direction))
        else:
            vector = run.recorder.read(leaf, pos, pos + 1)[0].double().cpu()
            label = _WORDS.get(info.kind, leaf)
            found.append(Part(label, float(vector @ direction), None, info.kind, None, (leaf, (pos, None))))
    constants = readout.constants(token)
    return found + [Part(f"bias {name}", value, None, name, None, None) for name, value in constants.items()]


def _attention_parts(run: Run, name: str, pos: int, direction: Tensor) -> list[Part]:
    """Split what attention added into every head's share and the bias's."""
    layer = run.recorder.info(name).layer or 0
    module = name.replace("hook_cross_attn_out", "cross_attn").replace("hook_attn_out", "attn")
    crossed = "cross " if module.endswith("cross_attn") else ""
    z = run.recorder.read(f"{module}.hook_z", pos, pos + 1)[0].double().cpu()  # [head, d_head]
    output = run.loaded.model.weight(f"{module}.W_O").detach().double().cpu()  # [head, d_head, d_model]
    values = torch.einsum("hd,hdm,m->h", z, output, direction)
    written = f"{module}.hook_z"
    found = [
        Part(f"{crossed}head {layer}.{head}", float(value), layer, f"{crossed}head", head, (written, (pos, head, None)))
        for head, value in enumerate(values)
    ]
    if run.loaded.spec.attention_bias:
        found.append(_bias(run, f"{module}.b_O", layer, direction))
    return found


def _mlp_parts(run: Run, name: str, pos: int, direction: Tensor) -> list[Part]:
    """Split what the MLP added into its share without its bias, and the bias's."""
    layer = run.recorder.info(name).layer or 0
    value = float(run.recorder.read(name, pos, pos + 1)[0].double().cpu() @ direction)
    place: Place = (name, (pos, None))
    if not run.loaded.spec.mlp_bias:
        return [Part(f"MLP {layer}", value, layer, "mlp", None, place)]
    bias = _bias(run, name.replace("hook_mlp_out", "mlp.b_out"), layer, direction)
    return [Part(f"MLP {layer}", value - bias.value, layer, "mlp", None, place), bias]


def _bias(run: Run, name: str, layer: int, direction: Tensor) -> Part:
    value = float(run.loaded.model.weight(name).detach().double().cpu() @ direction)
    return Part(f"bias {name.rpartition('.')[2]} {layer}", value, layer, "bias", None, (name, (None,)))


def _parameters(run: Run) -> Sequence[Parameter]:
    return [
        output_position(run),
        Parameter("token", "token", "token", "", empty="the most probable one"),
        Parameter("minus", "minus", "token", "", empty="nothing: the logit itself"),
        Parameter("draw", "as", "choice", "bars", choices=("bars", "map")),
        Parameter("k", "bars", "count", 24, least=1, most=200),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    positions_read(run)
    pos, minus = chosen["pos"], chosen["minus"]
    logits = run.recorder.read("logits", pos, pos + 1)[0].double().cpu()
    token = int(logits.argmax()) if chosen["token"] is None else chosen["token"]
    if minus == token:
        raise LensError("a logit minus itself is nothing", "Name two different tokens.")
    readout = linear_readout(run.loaded)
    parts = parts_of(run, readout, pos, token)
    logit = float(logits[token])
    if minus is not None:
        others = parts_of(run, readout, pos, minus)
        parts = [Part(**{**vars(a), "value": a.value - b.value}) for a, b in zip(parts, others, strict=True)]
        logit -= float(logits[minus])
    total = sum(part.value for part in parts)
    text_of = run.loaded.tokenizer.text_of
    asked = quoted(text_of(token)) + (f" − {quoted(text_of(minus))}" if minus is not None else "")
    numbers = {
        "lens": "contributions",
        "run": run.id,
        "pos": pos,
        "after": run.tokens[pos].text,
        "token": {"id": token, "text": text_of(token)},
        "minus": None if minus is None else {"id": minus, "text": text_of(minus)},
        "parts": [
            {"label": p.label, "kind": p.kind, "layer": p.layer, "head": p.head, "value": p.value} for p in parts
        ],
        "sum": total,
        "logit": logit,
        "difference": total - logit,
    }
    ordered = sorted(parts, key=lambda part: -abs(part.value))

    def figure() -> Chart:
        where = f"{'after' if run.loaded.spec.writes else 'at'} pos {pos}"
        summed = f"all {len(parts)} parts together {total:.4f}, in the run {logit:.4f}"
        if chosen["draw"] == "map":
            return _map(run, ordered, f"{asked} {where}: {summed}")
        shown, rest = ordered[: chosen["k"]], ordered[chosen["k"] :]
        others = [(f"{len(rest)} others", sum(part.value for part in rest))] if rest else []
        return bars(
            [part.value for part in shown], [part.label for part in shown], unit="added to the logit",
            title=f"{asked} {where}: {summed}", sums=others,
        )  # fmt: skip

    rows: list[list[object]] = [[p.label, p.kind, p.layer, p.head, p.value] for p in ordered]
    rows += [["sum", "sum", None, None, total], ["logit in the run", "logit", None, None, logit]]
    places = [*(part.place for part in ordered), None, ("logits", (pos, token))]
    return View(numbers, ["part", "kind", "layer", "head", "value"], lambda: zip(rows, places, strict=True), figure)


def _map(run: Run, parts: Sequence[Part], title: str) -> Chart:
    """Draw layers downward; heads, the MLP and the block's biases to the right. The title has what no block adds."""
    spec = run.loaded.spec
    crossed = any(part.kind == "cross head" for part in parts)
    columns = [str(head) for head in range(spec.heads)]
    columns += [f"cross {head}" for head in range(spec.heads)] if crossed else []
    columns += ["MLP", "biases"]
    sheet = torch.zeros(spec.layers, len(columns), dtype=torch.float64)
    which: list[list[int | None]] = [[None] * len(columns) for _ in range(spec.layers)]
    outside = sum(part.value for part in parts if part.layer is None)
    for row, part in enumerate(parts):
        if part.layer is None:
            continue
        place = {"mlp": -2, "bias": -1, "head": part.head or 0, "cross head": spec.heads + (part.head or 0)}[part.kind]
        sheet[part.layer, place] += part.value
        # Biases of one block share a cell, which is no row of the table.
        which[part.layer][place] = None if part.kind == "bias" else row
    return heat_map(
        sheet.numpy(), columns, [str(layer) for layer in range(spec.layers)], "activation", unit="added to the logit",
        title=f"{title}; {outside:.4f} of it from the embeddings and what comes after the last block",
        across="head", down="block", meta={"which": which},
    )  # fmt: skip


LENS = Lens(
    "contributions",
    "Parts of a logit",
    "Residual stream",
    _view,
    "The last residual vector is a sum: embeddings, what every head and MLP added, and biases. Each summand, put"
    " through the last norm with the scale that the norm had at this position and then the unembedding, gives its"
    " part of the logit; together they are the logit, as the last rows show. With a second token the parts are those"
    " of the difference of two logits, which is what decides between the two.",
    (
        "Parts are direct: what a head does through later layers is counted to those layers.",
        "A constant added to all logits changes no probability, so a single logit's parts include much that does not"
        " matter; prefer the difference of two tokens.",
        "The norm's scale is held fixed: without a part, the scale would have been another.",
    ),
    _parameters,
    why_not_linear,
)
LENSES = (LENS,)
