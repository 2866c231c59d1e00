"""Neurons: which are strongest at a token or along the text, and what each writes toward."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..runs.run import Run
from .drawing import Chart, bars, escaped, labels_of, quoted
from .lens import Along, Lens, Place, View, nullable, rows_of
from .parameters import LensError, Parameter, within, within_shorter
from .parts import axis_tokens, output_prefix, position_parameter
from .readout import Named, linear_readout, strongest, why_not_linear
from .residual import stack_parameter, stacks

_NAMED = 5
_DRAWN = ("along the text", "tokens it moves")


def layers_of(run: Run, part: str) -> list[str]:
    """Name the MLPs of a stack, one a layer."""
    prefix = stacks(run.loaded.graph)[part]
    return [
        tensor.name.removesuffix(".hook_post")
        for tensor in run.loaded.graph.tensors
        if tensor.name.startswith(f"{prefix}blocks.") and tensor.name.endswith(".mlp.hook_post")
    ]


def why_not_toward(run: Run, part: str) -> str | None:
    """Say why no token names what a neuron writes, or return None."""
    if stacks(run.loaded.graph)[part] != output_prefix(run.loaded.spec):
        return "this stack is not unembedded: the decoder reads it"
    return why_not_linear(run.loaded.spec)


def _longest(run: Run, parts: Sequence[str]) -> int:
    """Count the positions of the stack that has most."""
    return max(run.recorder.rows(f"{layers_of(run, part)[0]}.hook_post") for part in parts)


def _parameters(run: Run) -> Sequence[Parameter]:
    part = stack_parameter(run)
    layers = max(len(layers_of(run, word)) for word in part.choices)
    return [
        part,
        Parameter("over", "strongest", "choice", "position", choices=("position", "text")),
        position_parameter(run, _longest(run, part.choices)),
        Parameter("layer", "block", "choice", "all", choices=("all", *map(str, range(layers)))),
        Parameter("by", "by", "choice", "effect", choices=("effect", "activation")),
        Parameter("k", "neurons", "count", 20, least=1, most=200),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    modules = layers_of(run, chosen["part"])
    tokens = axis_tokens(run, f"{modules[0]}.hook_post", "pos")
    longest = _longest(run, list(stacks(run.loaded.graph)))
    chosen = {**chosen, "pos": within_shorter("pos", chosen["pos"], longest, len(tokens))}
    layers = range(len(modules))
    if chosen["layer"] != "all":
        layer = within("layer", int(chosen["layer"]), len(modules))
        layers = range(layer, layer + 1)
    found: list[tuple[float, int, int, int, float]] = []
    for layer in layers:
        found.extend(_candidates(run, modules[layer], layer, chosen))
    found = sorted(found, key=lambda one: -abs(one[0]))[: chosen["k"]]
    reason = why_not_toward(run, chosen["part"])
    toward: list[tuple[list[str], list[str]]] = [([], []) for _ in found]
    if reason is None and found:
        toward = _toward(run, [(modules[layer], neuron, value) for _, layer, neuron, _, value in found])
    numbers = {
        "lens": "neurons",
        "run": run.id,
        "part": chosen["part"],
        "over": chosen["over"],
        "pos": chosen["pos"] if chosen["over"] == "position" else None,
        "by": chosen["by"],
        "neurons": [
            {"layer": layer, "neuron": neuron, "pos": pos, "token": tokens[pos].text, "activation": value,
             "strength": strength, "toward": up, "against": down}
            for (strength, layer, neuron, pos, value), (up, down) in zip(found, toward, strict=True)
        ],
        "toward_reason": reason,
    }  # fmt: skip

    def figure() -> Chart:
        where = f"at {quoted(tokens[chosen['pos']].text)}, pos {chosen['pos']}"
        names = [_named(layer, neuron, up) for (_, layer, neuron, _, _), (up, _) in zip(found, toward, strict=True)]
        notes = [
            f"at {quoted(tokens[one[3]].text)}, pos {one[3]}<br>{_raises(up, down)}"
            for one, (up, down) in zip(found, toward, strict=True)
        ]
        unit = chosen["by"]
        title = f"strongest neurons {where if chosen['over'] == 'position' else 'anywhere in the text'}"
        title += ", and what each raises most" if reason is None else f"; {reason}"
        return bars([one[0] for one in found], names, notes=notes, title=title, unit=unit)

    rows: list[list[object]] = [
        [layer, neuron, pos, tokens[pos].text, value, strength, " ".join(map(repr, up)), " ".join(map(repr, down))]
        for (strength, layer, neuron, pos, value), (up, down) in zip(found, toward, strict=True)
    ]
    places: list[Place | None] = [(f"{modules[layer]}.hook_post", (pos, neuron)) for _, layer, neuron, pos, _ in found]
    header = ["layer", "neuron", "pos", "token", "activation", "strength", "toward", "against"]
    return View(numbers, header, lambda: zip(rows, places, strict=True), figure)


def _named(layer: int, neuron: int, raised: Sequence[str]) -> str:
    """Name a neuron by block and number, and the tokens it writes toward."""
    return f"{layer} · {neuron}" + (f" → {' '.join(escaped(text) for text in raised[:2])}" if raised else "")


def _raises(up: Sequence[str], down: Sequence[str]) -> str:
    """Say what a neuron raises and lowers, in two lines."""
    if not up:
        return "what it writes cannot be named by tokens"
    return f"raises {' '.join(map(escaped, up))}<br>lowers {' '.join(map(escaped, down))}"


def _candidates(
    run: Run, module: str, layer: int, chosen: Mapping[str, Any]
) -> list[tuple[float, int, int, int, float]]:
    """Find the strongest neurons of one layer: strength, layer, neuron, position, activation."""
    name = f"{module}.hook_post"
    count = rows_of(run, name)
    at = chosen["pos"] if chosen["over"] == "position" else None
    first, last = (0, count) if at is None else (at, at + 1)
    post = run.recorder.read(name, first, last).float().cpu()  # [pos, d_mlp]
    strength = post
    if chosen["by"] == "effect":
        strength = post * run.loaded.model.weight(f"{module}.W_out").detach().float().cpu().norm(dim=-1)
    largest = strength.abs().max(0)
    best = largest.values.topk(min(chosen["k"], strength.shape[1])).indices
    return [
        (float(strength[row, neuron]), layer, neuron, first + row, float(post[row, neuron]))
        for neuron, row in ((int(n), int(largest.indices[n])) for n in best)
    ]


def _toward(run: Run, neurons: Sequence[tuple[str, int, float]]) -> list[tuple[list[str], list[str]]]:
    """Find the tokens that each neuron's activation raises and lowers most."""
    readout = linear_readout(run.loaded)
    written = torch.stack(
        [run.loaded.model.weight(f"{module}.W_out").detach()[neuron] * value for module, neuron, value in neurons]
    )
    raised = readout.toward(written)
    return [
        (
            [one.text for one in strongest(run.loaded, row, _NAMED)],
            [one.text for one in strongest(run.loaded, row, _NAMED, largest=False)],
        )
        for row in raised
    ]


def _neuron_parameters(run: Run) -> Sequence[Parameter]:
    part = stack_parameter(run)
    layers = max(len(layers_of(run, word)) for word in part.choices)
    layer, neuron = _most_active(run, str(part.default))
    return [
        part,
        Parameter("layer", "block", "index", layer, of="layer", size=layers),
        Parameter("neuron", "neuron", "index", neuron, of="neuron", size=run.loaded.spec.d_mlp),
        Parameter("draw", "as", "choice", _DRAWN[0], choices=_DRAWN),
        Parameter("k", "tokens named", "count", 10, least=1, most=100),
    ]


def _most_active(run: Run, part: str) -> tuple[int, int]:
    """Block and number of the neuron that is most active at the last position, which is shown unasked."""
    best, found = -1.0, (0, 0)
    for layer, module in enumerate(layers_of(run, part)):
        name = f"{module}.hook_post"
        count = run.recorder.rows(name)
        if count:
            largest = run.recorder.read(name, count - 1, count)[0].abs()  # [d_mlp]
            if float(largest.max()) > best:
                best, found = float(largest.max()), (layer, int(largest.argmax()))
    return found


def _neuron_view(run: Run, chosen: Mapping[str, Any]) -> View:
    modules, neuron = layers_of(run, chosen["part"]), chosen["neuron"]
    module = modules[within("layer", chosen["layer"], len(modules))]
    name = f"{module}.hook_post"
    activation: Tensor = run.recorder.read(name, 0, rows_of(run, name))[:, neuron].float().cpu()
    values = nullable(activation.numpy())
    tokens = axis_tokens(run, name, "pos")[: len(values)]
    reason = why_not_toward(run, chosen["part"])
    up, down = [], []
    if reason is None:
        written = run.loaded.model.weight(f"{module}.W_out").detach()[neuron]
        raised = linear_readout(run.loaded).toward(written.unsqueeze(0))[0]
        up, down = (strongest(run.loaded, raised, chosen["k"], largest) for largest in (True, False))
    numbers = {
        "lens": "neuron",
        "run": run.id,
        "name": name,
        "neuron": neuron,
        "tokens": [token.text for token in tokens],
        "activation": values,
        "toward": [one.answer("weight") for one in up],
        "against": [one.answer("weight") for one in down],
        "toward_reason": reason,
    }

    title = f"block {chosen['layer']}, neuron {neuron}"
    if chosen["draw"] == _DRAWN[1]:
        if reason is not None:
            raise LensError(f"what a neuron writes here cannot be named by tokens: {reason}", f"Use draw={_DRAWN[0]}.")
        return _moved(numbers, up, down, title)

    def figure() -> Chart:
        said = f", toward {' '.join(quoted(one.text) for one in up[:5])}" if up else ""
        return bars(values, labels_of(tokens), title=title + said, unit="activation", lying=False, along="pos")

    rows = [[pos, token.text, values[pos]] for pos, token in enumerate(tokens)]
    places: list[Place | None] = [(name, (pos, neuron)) for pos in range(len(values))]
    header, along = ["pos", "token", "activation"], Along("token", "activation", "activation")
    return View(numbers, header, lambda: zip(rows, places, strict=True), figure, along)


def _moved(numbers: Mapping[str, Any], up: Sequence[Named], down: Sequence[Named], title: str) -> View:
    """Find the tokens whose logits a neuron raises most and lowers most."""
    both = [*up, *reversed(down)]

    def figure() -> Chart:
        return bars(
            [one.value for one in both], [escaped(one.text) for one in both],
            title=f"{title}: what an activation of 1 adds to logits, before the last norm's scale", unit="added",
        )  # fmt: skip

    rows = [[one.id, one.text, one.value] for one in both]
    places: list[Place | None] = [("W_U", (None, one.id)) for one in both]
    return View(numbers, ["id", "text", "added"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "neurons",
    "Strongest neurons",
    "Neurons",
    _view,
    "Neurons of the MLPs, strongest first: at one position, or wherever in the text each is strongest. By effect, the"
    " activation is multiplied with the length of the vector that the neuron writes, since a large activation that"
    " writes little does little. Beside each stand the tokens whose logits its writing raises and lowers most.",
    (
        "What a neuron writes toward is its direct effect through the unembedding; in early layers most of what it"
        " does goes through later layers.",
        "A neuron's meaning is not the one text it is strongest in; most answer to many unrelated things.",
    ),
    _parameters,
)
NEURON_LENS = Lens(
    "neuron",
    "One neuron",
    "Neurons",
    _neuron_view,
    "The activation of one neuron at every position of the text, after the nonlinearity (and the gate), and the tokens"
    " that a positive activation raises and lowers most, through the last norm's gain and the unembedding.",
    (
        "With gelu and silu small negative activations are common and mean nearly nothing.",
        "With a gate the activation can have either sign: a negative one pushes against the tokens listed.",
    ),
    _neuron_parameters,
)
LENSES = (LENS, NEURON_LENS)
