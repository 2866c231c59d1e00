"""A spec written out as it is, with our own names: for what no other family can describe."""

import json
from collections.abc import Set
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...transformer.spec import Spec, SpecError
from ..config import Config
from ..errors import shown
from ..tensors import Source
from .family import Family

_SPEC = TypeAdapter(Spec)


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec that the configuration is."""
    names = {field.name for field in fields(Spec)}
    values = {name: value for name, value in config.values.items() if name in names}
    missing = {"layers", "heads", "d_model", "d_head", "d_mlp", "d_vocab", "positions"} - values.keys()
    if missing:
        raise config.wrong(f"it lacks {', '.join(sorted(missing))}")
    try:
        return _SPEC.validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        if isinstance(cause := problem.get("ctx", {}).get("error"), SpecError):
            raise cause from error
        place = ".".join(map(str, problem["loc"]))
        raise config.wrong(f"{place} is {shown(problem['input'])}: {problem['msg']}") from error


def config_of(spec: Spec) -> dict[str, Any]:
    """Write the configuration of a spec."""
    return spec.as_dict()


class _AsTheyAre(dict[str, str | Source]):
    def __missing__(self, name: str) -> Source:
        return Source(name)


ATLAS = Family("atlas", spec_of, _AsTheyAre(), config_of=config_of)
