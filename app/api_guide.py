"""The content of the API guide, made from the server's own OpenAPI description so that it cannot go out of date.

What the description cannot know is added here: an example value for every parameter and body, so that each call
is shown as a command that works when it is pasted into a shell.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .checkpoints.entry import ModelEntry

Schema = dict[str, Any]

# Query parameters that an example gives, by the last fixed part of the path. Everything else keeps its default.
_QUERIES = {
    "weights": "index=0,:8",
    "activations": "index=0,-1,:",
    "explain": "index=0,0",
    "beside": "index=0,0&other_index=0,1",
    "tiles": "head=0",
    "pairing": "minus=$RUN",
    "steps": "run=$RUN",
}
_NAMES = {
    "beside": "logits",
    "weights": "W_E",
    "activations": "blocks.0.attn.hook_pattern",
    "explain": "W_E",
}
# Calls that answer with numbers alone, which no terminal should be shown.
_BINARY = ("{col}", "/thumbnails")
_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "below {}"),
    ("maxLength", "at most {} characters"),
)


@dataclass(frozen=True)
class Field:
    """One parameter of a call, or one field of its body. `place` is `path`, `query` or `body`."""

    name: str
    place: str
    type: str
    required: bool
    default: str | None
    description: str


@dataclass(frozen=True)
class Call:
    """One call: how it is asked, what it takes, what it gives, and a command that makes it."""

    method: str
    path: str
    description: str
    fields: list[Field]
    answer: list[str]
    command: str

    @property
    def anchor(self) -> str:
        """Return its place on the page."""
        return f"{self.method} {self.path}".lower().translate(str.maketrans(" /", "--", "{}"))


@dataclass(frozen=True)
class Example:
    """What the examples run: a model, and what it reads."""

    base: str
    model_id: str
    question: dict[str, Any]

    @classmethod
    def choose(cls, base: str, entries: list[ModelEntry]) -> "Example":
        """Choose the first decoder that reads text, with its default text; without one, the first model and a token."""
        reading = (entry for entry in entries if entry.has_tokenizer and entry.spec.kind == "decoder")
        entry = next(reading, entries[0] if entries else None)
        if entry is None:
            return cls(base, "MODEL", {"model": "MODEL", "tokens": [0]})
        text = {"text": entry.default_text or "A"} if entry.has_tokenizer else {"tokens": [0]}
        new_tokens = min(entry.default_new_tokens, 6) if entry.spec.writes else 0
        return cls(base, entry.id, {"model": entry.id, **text, "max_new_tokens": new_tokens})

    @property
    def run(self) -> str:
        """Write the shell line that makes a run and keeps its id in `$RUN`."""
        read_id = """python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'"""
        return f"RUN=$({self.command('POST', '/api/v1/runs')} |\n  {read_id})"

    def command(self, method: str, path: str) -> str:
        """Write the shell command that makes a call."""
        part = next((part for part in _NAMES if f"/{part}/" in path), "")
        values = {
            "model_id": self.model_id,
            "run_id": "$RUN",
            "lens": "attention",
            "name": _NAMES.get(part, ""),
            "other": _NAMES["beside"],
            "lesson_id": "first-steps",
            "step_id": "hello",
        }
        places = dict.fromkeys(("level", "row", "col"), 0)
        kind = "tiles" if "/tiles/" in path else "" if path.endswith("/stats") else part
        kind = "pairing" if path.endswith("/pairing") else "steps" if "/steps/" in path else kind
        query = f"?{_QUERIES[kind]}" if kind in _QUERIES and (kind != "tiles" or part == "activations") else ""
        # Double quotes: the shell still has to read `$RUN`.
        address = f'"{self.base}{path.format(**values, **places)}{query}"'
        if method == "POST":
            body = self.question if path.endswith("/runs") else {"text": self.question.get("text", "A")}
            body = {"id": "smollm2"} if path.endswith("/pull") else body
            return f"curl -s {address} -H 'Content-Type: application/json' \\\n  -d {shlex.quote(json.dumps(body))}"
        if path.endswith(_BINARY):
            return f"curl -s {address} -o numbers.bin"
        return f"curl -s {address}" if method == "GET" else f"curl -s -X {method} {address}"


def calls(specification: Schema, example: Example) -> dict[str, list[Call]]:
    """List every call by its group, so that the examples can be run in order: what deletes, and its group, last."""
    groups: dict[str, list[Call]] = {}
    for path, methods in specification["paths"].items():
        for method, operation in methods.items():
            group = (operation.get("tags") or ["other"])[0]
            groups.setdefault(group, []).append(_call(specification, method.upper(), path, operation, example))
    last = {group: any(call.method == "DELETE" for call in found) for group, found in groups.items()}
    return {
        group: sorted(groups[group], key=lambda call: call.method == "DELETE")
        for group in sorted(groups, key=lambda group: last[group])
    }


def _call(specification: Schema, method: str, path: str, operation: Schema, example: Example) -> Call:
    fields = [
        _field(specification, parameter["name"], parameter["in"], parameter["schema"], parameter)
        for parameter in operation.get("parameters", ())
    ]
    body = _resolved(specification, _json_schema(operation.get("requestBody", {})))
    fields += _body_fields(specification, body, "")
    success = operation["responses"].get("200", {})
    answer = _resolved(specification, _json_schema(success))
    return Call(
        method,
        path,
        " ".join(filter(None, (operation.get("description"), body.get("description")))),
        fields,
        list(answer.get("properties", ())),
        example.command(method, path),
    )


def _body_fields(specification: Schema, schema: Schema, prefix: str) -> Iterator[Field]:
    """List the fields of a body, those of nested objects under dotted names."""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        inner = _resolved(specification, part)
        items = _resolved(specification, inner.get("items", {}))
        about = {"required": name in required, "description": part.get("description", "")}
        if "properties" in inner:
            yield from _body_fields(specification, inner, f"{prefix}{name}.")
        elif "properties" in items:
            yield from _body_fields(specification, items, f"{prefix}{name}[].")
        else:
            yield _field(specification, prefix + name, "body", part, about)


def _field(specification: Schema, name: str, place: str, schema: Schema, about: Schema) -> Field:
    default = schema.get("default")
    return Field(
        name,
        place,
        _type(specification, schema),
        bool(about.get("required")),
        json.dumps(default) if default not in (None, "") else None,
        about.get("description") or schema.get("description", ""),
    )


def _json_schema(part: Schema) -> Schema:
    schema: Schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _resolved(specification: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    found: Schema = specification["components"]["schemas"][name]
    return found


def _type(specification: Schema, schema: Schema) -> str:
    """Describe a type in words, with its bounds."""
    schema = _resolved(specification, schema)
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " or ".join(_type(specification, part) for part in schema["anyOf"] if part.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(specification, schema.get('items', {}))}"
    bounds = [words.format(f"{schema[key]:g}") for key, words in _BOUNDS if schema.get(key, 2**31) < 2**31]
    return ", ".join([schema.get("type", "anything"), *bounds])
