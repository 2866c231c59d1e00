"""Writes `frontend/src/net/contract.gen.ts`: the types and bounds of everything that page and server say to each other.

The server's own schemas are the source: the OpenAPI document for REST, and the JSON schemas of the stream's
messages and of the headers of its frames.
A Python test keeps the file equal to what the server says now.

    python -m tools.contract        # write it; `make contract` does the same
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from app.api import schemas
from app.api.specification import mark_whole, shapes_in
from app.runs.explanation import Direction
from app.runs.headers import FrameHeader, ThumbnailsHeader
from app.runs.pooling import Pool
from app.runs.run import Reason, State
from app.server import create_app
from app.settings import Settings
from app.transformer.graph import Index, OpKind, Role
from app.transformer.operations.summands import Combine
from app.transformer.spec import Kind

FILE = Path(__file__).resolve().parent.parent / "frontend" / "src" / "net" / "contract.gen.ts"
_HEAD = """// Written by tools/contract.py (`make contract`) from the server's schemas: change those, not this file.
"""
# JSON schema has no names for these, only their values: a schema equal to one of them is written as its name.
_ALIASES: dict[str, Any] = {
    "Combine": Combine,
    "Direction": Direction,
    "IndexExpression": Index,
    "ModelKind": Kind,
    "OpKind": OpKind,
    "Pool": Pool,
    "Reason": Reason,
    "Role": Role,
    "RunState": State,
}
_BOUNDS_ABOUT = (
    "Bounds on what the server takes, by shape and field. Whole numbers have inclusive bounds alone; "
    "`exclusiveMinimum` and `exclusiveMaximum` are of real numbers."
)
_WIDTH = 110

Schema = dict[str, Any]


class ContractError(Exception):
    """A schema that this tool cannot write; the message says which, and what to do."""


# ---- what the server says -------------------------------------------------------------------------------------------


def contract_text() -> str:
    """Return the whole file: aliases, shapes, bounds."""
    document = create_app(Settings(models=[], data=FILE.parent, device="cpu")).openapi()
    asked, answered = _rest_shapes(document)
    asked |= _shapes_of("ClientMessage", schemas.ClientMessage)
    said = _shapes_of("ServerMessage", schemas.ServerMessage)
    mark_whole(said)
    headers = _shapes_of("FrameHeader", FrameHeader) | _shapes_of("ThumbnailsHeader", ThumbnailsHeader)
    writer = Writer({name: _shapes_of(name, alias)[name] for name, alias in _ALIASES.items()})
    parts = [_HEAD, *(writer.alias(name) for name in _ALIASES)]
    shapes = _merged(asked, answered, said, headers)
    parts += [writer.shape(name, shapes[name]) for name in sorted(shapes)]
    parts.append(_bounds(asked))
    return "\n".join(parts)


def _rest_shapes(document: Schema) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """List the components that requests are made of, and those that answers are made of."""
    components = document["components"]["schemas"]
    asked: dict[str, Schema] = {}
    answered: dict[str, Schema] = {}
    for calls in document["paths"].values():
        for call in calls.values():
            asked |= shapes_in(call.get("requestBody", {}), components)
            answered |= shapes_in(call["responses"], components)
    return asked, answered


def _shapes_of(name: str, type_: Any) -> dict[str, Schema]:
    """Return the shapes of a message union, under their names."""
    schema = TypeAdapter(type_).json_schema()
    shapes: dict[str, Schema] = schema.pop("$defs", {})
    return {**shapes, name: schema}


def _merged(*sources: Mapping[str, Schema]) -> dict[str, Schema]:
    """Merge all shapes into one table.

    Raises:
        ContractError: two different shapes have one name.
    """
    merged: dict[str, Schema] = {}
    for source in sources:
        for name, schema in source.items():
            if _plain(merged.setdefault(name, schema)) != _plain(schema):
                raise ContractError(f"there are two different {name}: rename one of them")
    return merged


def _plain(schema: Any) -> Any:
    """Strip a schema of its words and shorten its references, so that two can be compared."""
    if isinstance(schema, Mapping):
        kept = {key: part for key, part in schema.items() if key not in ("title", "description", "default")}
        if "$ref" in kept:
            kept["$ref"] = kept["$ref"].rpartition("/")[2]
        if "properties" in kept:
            kept["properties"] = {name: _plain(part) for name, part in schema["properties"].items()}
        return {key: part if key == "properties" else _plain(part) for key, part in kept.items()}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


# ---- TypeScript -----------------------------------------------------------------------------------------------------


class Writer:
    """Writes JSON schemas, of the kind that pydantic makes, as TypeScript formatted as Biome formats it."""

    def __init__(self, aliases: Mapping[str, Any]) -> None:
        """Write a schema that equals one of `aliases` as its name."""
        self._aliases = {name: _plain(schema) for name, schema in aliases.items()}

    def alias(self, name: str) -> str:
        """Write the declaration of an alias."""
        return _declared(name, self._members(self._aliases[name], named=False))

    def shape(self, name: str, schema: Schema) -> str:
        """Write the declaration of a shape: an interface, or a type where it is not an object."""
        about = _comment(schema.get("description", ""))
        if "properties" not in schema:
            return about + _declared(name, self._members(schema))
        required = schema.get("required", ())
        fields = [self._field(key, part, key in required) for key, part in schema["properties"].items()]
        return f"{about}export interface {name} {{\n{''.join(fields)}}}\n"

    def _field(self, name: str, schema: Schema, required: bool) -> str:
        head = f"  readonly {name}{'' if required else '?'}:"
        return _comment(schema.get("description", ""), "  ") + _fitted(head, self._members(schema), "  ")

    def _members(self, schema: Schema, named: bool = True) -> list[str]:
        """List the members of the union that a schema stands for; one where it is no union."""
        if named:
            plain = _plain(schema)
            for name, alias in self._aliases.items():
                if plain == alias:
                    return [name]
        if "$ref" in schema:
            return [schema["$ref"].rpartition("/")[2]]
        if "const" in schema:
            return [json.dumps(schema["const"])]
        if "enum" in schema:
            return [json.dumps(value) for value in schema["enum"]]
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self._union(schema[union])
        return [self._single(schema)]

    def _union(self, parts: list[Schema]) -> list[str]:
        """List every member once; null comes last."""
        members = dict.fromkeys(member for part in parts for member in self._members(part))
        return [member for member in members if member != "null"] + ["null"] * ("null" in members)

    def _single(self, schema: Schema) -> str:
        match schema.get("type"):
            case "string" | "boolean" | "null" as simple:
                return str(simple)
            case "integer" | "number":
                return "number"
            case "array" if "prefixItems" in schema:
                return f"readonly [{', '.join(' | '.join(self._members(part)) for part in schema['prefixItems'])}]"
            case "array":
                members = self._members(schema.get("items", {}))
                item = members[0] if len(members) == 1 else f"({' | '.join(members)})"
                return f"readonly ({item})[]" if item.startswith("readonly ") else f"readonly {item}[]"
            case "object":
                values = schema.get("additionalProperties", True)
                value = "unknown" if isinstance(values, bool) else " | ".join(self._members(values))
                return f"Readonly<Record<string, {value}>>"
            case None:
                return "unknown"
        raise ContractError(f"{json.dumps(schema)[:200]} is no schema that tools/contract.py can write: teach it")


def _declared(name: str, members: list[str]) -> str:
    return _fitted(f"export type {name} =", members)


def _fitted(head: str, members: list[str], indent: str = "") -> str:
    """Put a type behind its head: on one line where it fits, else a member a line."""
    line = f"{head} {' | '.join(members)};\n"
    if len(line) <= _WIDTH + 1:
        return line
    if len(members) == 1:
        raise ContractError(f"{line.strip()} is too long for a line: name a part of it in _ALIASES")
    return f"{head}\n" + "\n".join(f"{indent}  | {member}" for member in members) + ";\n"


def _comment(text: str, indent: str = "") -> str:
    """Write a description as a comment, wrapped; empty where there is none."""
    if not text:
        return ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.replace("*/", "* /").split("\n\n")]
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [""] * bool(lines) + textwrap.wrap(paragraph, _WIDTH - len(indent) - 7, break_on_hyphens=False)
    body = f"\n{indent} *  ".join(lines)
    return f"{indent}/** {body} */\n".replace(" *  \n", " *\n")


# ---- bounds ---------------------------------------------------------------------------------------------------------


def _bounds(asked: Mapping[str, Schema]) -> str:
    """Write one constant: the bounds of every field of every shape that a client sends."""
    lines = [_comment(_BOUNDS_ABOUT) + "export const BOUNDS = {"]
    for name in sorted(asked):
        fields = {key: _bounds_of(part) for key, part in asked[name].get("properties", {}).items()}
        if any(fields.values()):
            lines.append(f"  {name}: {{")
            lines += [f"    {key}: {_literal(bounds)}," for key, bounds in fields.items() if bounds]
            lines.append("  },")
    return "\n".join([*lines, "} as const;\n"])


def _bounds_of(schema: Schema) -> dict[str, Any]:
    """Return the bounds on a field, null aside; those on the entries of a list are under `items`."""
    for part in schema.get("anyOf", ()):
        if part.get("type") != "null":
            return _bounds_of(part)
    lengths = ("minLength", "maxLength", "minItems", "maxItems")
    bounds: dict[str, Any] = {key: schema[key] for key in lengths if key in schema}
    whole = schema.get("type") == "integer"
    for end, inward in (("minimum", 1), ("maximum", -1)):
        exclusive = f"exclusive{end.capitalize()}"
        if end in schema:
            bounds[end] = _number(schema[end])
        elif exclusive in schema and whole:
            bounds[end] = _number(schema[exclusive]) + inward
        elif exclusive in schema:
            bounds[exclusive] = _number(schema[exclusive])
    if inner := _bounds_of(schema.get("items", {})) if "items" in schema else {}:
        bounds["items"] = inner
    return bounds


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _literal(bounds: Mapping[str, Any]) -> str:
    """Write an object as TypeScript does on one line."""
    inner = (f"{key}: {_literal(part) if isinstance(part, dict) else part}" for key, part in bounds.items())
    return f"{{ {', '.join(inner)} }}"


if __name__ == "__main__":
    FILE.write_text(contract_text(), encoding="utf-8")
