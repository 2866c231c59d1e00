"""A spec written out as it is, with our own names: for what no other family can describe."""

from collections.abc import Set
from dataclasses import fields
from typing import Any

from app.transformer.spec import Relative, Rotary, Spec

from ..config import Config
from ..tensors import Source
from .family import Family

_PARTS = {"rotary": Rotary, "relative": Relative}


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """The spec that the configuration is."""
    names = {field.name for field in fields(Spec)}
    values = {name: value for name, value in config.values.items() if name in names}
    missing = {"layers", "heads", "d_model", "d_head", "d_mlp", "d_vocab", "positions"} - values.keys()
    if missing:
        raise config.wrong(f"it lacks {', '.join(sorted(missing))}")
    for name, kind in _PARTS.items():
        if isinstance(values.get(name), dict):
            values[name] = kind(**values[name])
    return Spec(**values | {"windowed": tuple(values.get("windowed", ()))})


def config_of(spec: Spec) -> dict[str, Any]:
    """The configuration of a spec."""
    return spec.as_dict()


class _AsTheyAre(dict[str, str | Source]):
    def __missing__(self, name: str) -> Source:
        return Source(name)


ATLAS = Family("atlas", spec_of, _AsTheyAre(), config_of=config_of)
