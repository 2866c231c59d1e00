"""A run made of its specification: checked against its model, before anything is computed.

run = make_run(loaded, RunSpec(model="sort", text="CBABBC", max_new_tokens=6), settings)
"""

import math
from collections.abc import Sequence
from typing import get_args

import torch

from ..checkpoints.catalog import LoadedModel
from ..runs.recorder import Action, Intervention
from ..runs.run import Run
from ..runs.slices import Index, SliceError, parse_index
from ..settings import Settings
from ..transformer.decoding import BEAMS, HOTTEST, SEEDS, TOP_K, Sampling
from ..transformer.names import resolve_name, source_name
from .errors import EngineError, refusals, unknown_tensor
from .prompts import read_prompt
from .values import Change, RunSpec


def make_run(loaded: LoadedModel, spec: RunSpec, settings: Settings) -> Run:
    """Make a run that waits to be started.

    Raises:
        EngineError: the model cannot read this, cannot write so much, or cannot be changed so.
    """
    check_sampling(spec.sampling)
    check_count("max_new_tokens", spec.max_new_tokens)
    check_count("write", spec.write)
    prompt = read_prompt(loaded, spec, settings.text_bytes)
    if not spec.cut_to_fit:
        _refuse_new_tokens(loaded, spec.max_new_tokens, len(prompt.tokens))
    changes = _interventions(loaded, spec.interventions, settings.interventions)
    if changes and spec.sampling.beams > 1:
        raise EngineError(
            "beams_and_interventions",
            "a beam search computes its texts as the model is, without interventions",
            "Write with 1 beam, or leave the interventions out.",
        )
    run = Run(
        loaded,
        prompt.tokens,
        spec.max_new_tokens,
        spec.sampling,
        changes,
        settings.attention_bytes,
        prompt.source,
        prompt.kinds,
    )
    run.owner = spec.client
    return run


def check_sampling(sampling: Sampling) -> None:
    """Refuse a sampling that means nothing.

    Raises:
        EngineError: a value of it is out of bounds.
    """
    bounds = {
        "temperature": (0 <= sampling.temperature <= HOTTEST, f"0 to {HOTTEST:g}"),
        "top_k": (0 <= sampling.top_k < TOP_K, f"0 to {TOP_K - 1}; 0 keeps every token"),
        "top_p": (0 < sampling.top_p <= 1, "more than 0, at most 1"),
        "seed": (0 <= sampling.seed < SEEDS, f"0 to {SEEDS - 1}"),
        "beams": (1 <= sampling.beams <= BEAMS, f"1 to {BEAMS}"),
    }
    for name, (within, said) in bounds.items():
        if not within:
            raise EngineError("invalid", f"{name} {getattr(sampling, name)} is out of bounds", f"Use {said}.")


def check_count(name: str, count: int | None) -> None:
    """Refuse a negative number of tokens.

    Raises:
        EngineError: it is negative.
    """
    if count is not None and count < 0:
        raise EngineError("invalid", f"{name} {count} is negative", "Use 0 or more.")


def _refuse_new_tokens(loaded: LoadedModel, count: int, read: int) -> None:
    """Refuse to write more tokens than a model can, behind so many that it reads."""
    if count and not loaded.spec.writes:
        no_head = loaded.entry.no_head
        raise EngineError(
            "writes_nothing",
            f"{loaded.entry.id} writes nothing: {no_head}"
            if no_head
            else f"{loaded.entry.id} is an encoder: it fills in masked tokens and writes none",
            "Ask for 0 new tokens, and look at what it computes."
            if no_head
            else "Ask for 0 new tokens, and read its predictions.",
        )
    room = loaded.spec.positions - read + 1
    if count > room:
        raise EngineError(
            "too_many_new_tokens",
            f"{read} tokens leave room for {room} new ones, not {count}",
            f"Ask for at most {room}; the context has {loaded.spec.positions} positions.",
        )


def _interventions(loaded: LoadedModel, asked: Sequence[Change], most: int) -> list[Intervention]:
    """Return the changes to make, under the names of the tensors that are computed."""
    if len(asked) > most:
        raise EngineError(
            "too_many_interventions",
            f"{len(asked)} interventions are more than {most}",
            "Make fewer, with wider slices.",
        )
    tensors = loaded.graph.activations
    changes = []
    for change in asked:
        tensor = tensors.get(resolve_name(change.name, loaded.spec))
        if tensor is None:
            raise unknown_tensor(change.name, model=loaded.entry.id)
        if tensor.derived:
            raise EngineError(
                "derived", f"{change.name} is computed when read", "Change one of the tensors it is made of."
            )
        if change.action not in get_args(Action):
            raise EngineError("invalid", f"there is no action {change.action!r}", f"Use {', '.join(get_args(Action))}.")
        _refuse_value(change.value, loaded.model.W_E.dtype)
        with refusals():
            index = parse_index(change.index, loaded.graph.shape(tensor), tensor.axes)
            _refuse_step_on_rows(index, tensor.axes)
        changes.append(Intervention(source_name(tensor.name, loaded.graph), index, change.action, change.value))
    return changes


def _refuse_value(value: float, dtype: torch.dtype) -> None:
    if not math.isfinite(value):
        raise EngineError("invalid", f"a cell cannot be changed by {value}", "Use a number.")
    largest = torch.finfo(dtype).max
    if abs(value) > largest:
        said = f"{value:g} is more than {largest:g}, the largest number of {str(dtype).removeprefix('torch.')}"
        raise EngineError("too_large", said, "Take a smaller value.")


def _refuse_step_on_rows(index: Index, axes: Sequence[str]) -> None:
    for part, axis in zip(index, axes, strict=False):
        if axis in ("pos", "query_pos") and isinstance(part, slice) and part.step != 1:
            raise SliceError(f"an intervention cannot step along {axis}", "Make one intervention per position.")
