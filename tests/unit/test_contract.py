"""The page's types and bounds are what the server says."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.api.answers import spec_of
from app.api.schemas import Graph, RunBase, RunQuestion, Sampling, StartMessage
from tools.contract import FILE, Writer, contract_text
from tools.graph_fixtures import FAMILIES, FOLDER


def test_the_file_is_what_the_server_says() -> None:
    assert FILE.read_text(encoding="utf-8") == contract_text(), "run `make contract`"


@pytest.mark.parametrize("field, largest", [("temperature", 100), ("top_k", 2**31 - 1), ("seed", 2**53 - 1)])
def test_bounds_are_the_last_values_that_the_server_takes(field: str, largest: int) -> None:
    assert f"    {field}: {{ minimum: 0, maximum: {largest} }}," in FILE.read_text(encoding="utf-8")
    Sampling.model_validate({field: largest})
    with pytest.raises(ValidationError):
        Sampling.model_validate({field: largest + 1})


def test_the_stream_starts_whatever_rest_does() -> None:
    assert set(RunQuestion.model_fields) - {"wait"} == set(StartMessage.model_fields) - {"type", "request", "write"}
    asked: dict[str, Any] = {
        "model": "sort", "text": "A", "text_pair": "B", "tokens": [1], "token_types": [0], "target_tokens": [2],
        "max_new_tokens": 3, "sampling": {"temperature": 0.5, "top_k": 4, "top_p": 0.25, "seed": 5, "beams": 6},
        "interventions": [{"name": "logits", "index": "0", "action": "add", "value": 7.0}], "capture": "all",
    }  # fmt: skip
    assert set(asked) == set(RunBase.model_fields), "a field that one of the doors may forget"
    rest = spec_of(RunQuestion(**asked))
    assert rest == spec_of(StartMessage(type="start", request="r", **asked))
    passed_on = asdict(rest)
    assert {key: passed_on[key] for key in asked if key != "capture"} == {
        key: value for key, value in asked.items() if key != "capture"
    }


def test_shapes_are_written_as_typescript() -> None:
    writer = Writer({"Side": {"type": "string", "enum": ["left", "right"]}})
    assert writer.alias("Side") == 'export type Side = "left" | "right";\n'
    schema = {
        "description": "A pair.\n\nOf two.",
        "properties": {
            "kind": {"const": "pair"},
            "side": {"anyOf": [{"type": "null"}, {"type": "string", "enum": ["left", "right"]}]},
            "cells": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}},
            "size": {"type": "array", "prefixItems": [{"type": "integer"}, {"$ref": "#/$defs/Cell"}]},
            "rows": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "named": {"type": "object", "additionalProperties": {"type": "string"}, "description": "By name."},
        },
        "required": ["kind", "side"],
    }
    assert writer.shape("Pair", schema) == (
        "/** A pair.\n *\n *  Of two. */\n"
        "export interface Pair {\n"
        '  readonly kind: "pair";\n'
        "  readonly side: Side | null;\n"
        "  readonly cells?: readonly (number | null)[];\n"
        "  readonly size?: readonly [number, Cell];\n"
        "  readonly rows?: readonly (readonly number[])[];\n"
        "  /** By name. */\n"
        "  readonly named?: Readonly<Record<string, string>>;\n"
        "}\n"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_graphs_are_what_the_schema_says(family: str) -> None:
    said = json.loads((FOLDER / "family_graphs.json").read_text(encoding="utf-8"))[family]
    graph = TypeAdapter(Graph).validate_python(said)
    assert graph.model_dump(mode="json") == said
