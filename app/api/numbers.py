"""Slices of tensors as answers: JSON, NumPy's .npy, or safetensors."""

import io
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import orjson
from fastapi import Response
from safetensors.numpy import save
from torch import Tensor

from ..runs.slices import Index, element_count, parse_index
from ..settings import Settings
from .errors import ApiError, refusals

Format = Literal["json", "npy", "safetensors"]
FORMATS: tuple[Format, ...] = ("json", "npy", "safetensors")
# What a call that answers with numbers says of its answer.
NUMBERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON, or with another `format` a file of NumPy's or of safetensors",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def checked_index(text: str, shape: Sequence[int], axes: Sequence[str], form: Format, settings: Settings) -> Index:
    """Parse the index that was asked for, if its numbers fit into one answer."""
    with refusals():
        index = parse_index(text, shape, axes)
    limit = settings.json_elements if form == "json" else settings.slice_elements
    count = element_count(index, shape)
    if count > limit:
        raise ApiError(
            422,
            "too_many_numbers",
            f"{count} numbers are more than the {limit} that one {form} answer may hold",
            "Take a smaller slice, such as ?index=0" + (", or ?format=npy." if form == "json" else "."),
        )
    return index


def numbers_answer(
    read: Callable[[], Tensor],
    name: str,
    axes: Sequence[str],
    full_shape: Sequence[int],
    derived: bool,
    form: Format,
    index: Index,
) -> Response:
    """Write a slice of a tensor in the format asked for, float32 whatever the model computes in."""
    # Contiguous by hand: NumPy's own function would make a row of a single number.
    values = np.array(read()[index].float().cpu().numpy(), dtype="<f4", order="C")
    if form == "npy":
        file = io.BytesIO()
        np.save(file, values)
        return Response(file.getvalue(), media_type="application/octet-stream", headers=_download(name, "npy"))
    if form == "safetensors":
        content = save({name: values})
        return Response(content, media_type="application/octet-stream", headers=_download(name, "safetensors"))
    kept = [axis for axis, part in zip(axes, index, strict=False) if isinstance(part, slice)]
    answer = {
        "name": name,
        "axes": [*kept, *axes[len(index) :]],
        "full_shape": list(full_shape),
        "shape": list(values.shape),
        "dtype": "float32",
        "derived": derived,
        "nan": int(np.isnan(values).sum()),
        "infinite": int(np.isinf(values).sum()),
        "values": values if values.ndim else float(values),
    }
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def _download(name: str, ending: str) -> dict[str, str]:
    safe = "".join(character if character.isalnum() or character in "._-" else "_" for character in name)
    return {"Content-Disposition": f'inline; filename="{safe}.{ending}"'}
