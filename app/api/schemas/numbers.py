"""Numbers as they go over the wire: slices of tensors, what is measured of them, and what runs are compared by."""

from typing import Any, Literal

from pydantic import Field

from .base import Answer

ScaleOf = Literal["kind", "tensor"]


class Numbers(Answer):
    """A slice of a tensor. Values that are not finite are null, and counted."""

    name: str
    axes: list[str]
    full_shape: list[int]
    shape: list[int]
    dtype: str
    derived: bool
    nan: int
    infinite: int
    values: Any


class TensorStatistics(Answer):
    """Of all numbers of a tensor; the first five are of the finite ones, and null where there is none."""

    name: str
    shape: list[int]
    min: float | None
    max: float | None
    mean: float | None
    deviation: float | None
    percentile: float | None = Field(description="the 99.5th percentile of |x|, exactly")
    zeros: float = Field(description="the share of numbers that are zero")
    nan: int
    infinite: int


class Scales(Answer):
    """Colour scales by kind of tensor, or by tensor: the 99.5th percentile of |x|, from evenly spaced samples."""

    scales: dict[str, float]


class Pairing(Answer):
    """For each position that a run may fill, the other run's that it is compared with; null for none."""

    run: str
    minus: str
    pairs: list[int | None]
    source_pairs: list[int | None]
