"""Slices of tensors as answers: JSON, NumPy's .npy, or safetensors."""

import io
from typing import Any, Literal

import numpy as np
import orjson
from fastapi import Response
from safetensors.numpy import save

from ..engine.values import Rows
from ..settings import Settings

Format = Literal["json", "npy", "safetensors"]
FORMATS: tuple[Format, ...] = ("json", "npy", "safetensors")
# What a call that answers with numbers says of its answer.
NUMBERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON, or with another `format` a file of NumPy's or of safetensors",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def most_of(form: Format, settings: Settings) -> int:
    """Return how many numbers one answer in a format may hold."""
    return settings.json_elements if form == "json" else settings.slice_elements


def numbers_answer(rows: Rows, form: Format) -> Response:
    """Write a slice of a tensor in the format asked for, float32 whatever the model computes in."""
    values = rows.values
    if form == "npy":
        file = io.BytesIO()
        np.save(file, values)
        return Response(file.getvalue(), media_type="application/octet-stream", headers=_download(rows.name, "npy"))
    if form == "safetensors":
        headers = _download(rows.name, "safetensors")
        return Response(save({rows.name: values}), media_type="application/octet-stream", headers=headers)
    answer = {
        "name": rows.name,
        "axes": rows.axes,
        "full_shape": rows.full_shape,
        "shape": values.shape,
        "dtype": "float32",
        "derived": rows.derived,
        "nan": int(np.isnan(values).sum()),
        "infinite": int(np.isinf(values).sum()),
        "values": values if values.ndim else float(values),
    }
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def _download(name: str, ending: str) -> dict[str, str]:
    safe = "".join(character if character.isalnum() or character in "._-" else "_" for character in name)
    return {"Content-Disposition": f'inline; filename="{safe}.{ending}"'}
