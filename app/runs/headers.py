"""Headers of binary frames: what stands before the numbers. `make contract` writes them in TypeScript.

For example, the first two rows of the residual stream of a model that is 8 wide, behind `hook_embed`:

    {"v": 1, "type": "rows", "name": "hook_embed", "offset": 0, "shape": [2, 8], "dtype": "f16", "scale": 1.0, ...}
"""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic reads its own only from Python 3.12 on

from .pooling import Pool

NumberFormat = Literal["f16", "f32"]


class _StreamFrame(TypedDict):
    """Fields of every frame of the stream."""

    v: Literal[1]
    model: str
    epoch: int
    seq: int
    name: str
    index: list[int]
    level: int
    row: int
    col: int
    offset: int
    full_shape: list[int]
    step: int
    minus: NotRequired[str]
    dtype: NumberFormat
    shape: tuple[int, ...]
    scale: float


class RowsHeader(_StreamFrame):
    """Rows of an activation: `shape` of them, from `offset` along its `pos` or `query_pos` axis.

    `index` is empty, for rows carry all plates. The numbers are the payload times `scale`, which is 1 unless half
    precision could not hold them. `minus` is there only of a difference: the run that is taken away; plus infinity
    then stands where there is no partner.
    """

    type: Literal["rows"]
    run: str


class TileHeader(_StreamFrame):
    """A tile of one plate, of a weight (`run` is null) or of an activation: at most 256 x 256 pooled numbers.

    `index` is the plate among the leading axes; `row` and `col` count tiles of that `level`.
    """

    type: Literal["tile"]
    run: str | None
    pool: Pool


class CellsHeader(_StreamFrame):
    """A rectangle of one plate in float32; `row` and `col` count cells."""

    type: Literal["cells"]
    run: str | None


FrameHeader = RowsHeader | TileHeader | CellsHeader


class PlateThumbnail(TypedDict):
    """One plate in a file of thumbnails.

    `rows` and `cols` are the thumbnail's: the plate's, divided by 2^level and rounded up. `offset` counts bytes from
    the start of the payload; the numbers are the payload times `scale`.
    """

    name: str
    index: tuple[int, ...]
    rows: int
    cols: int
    level: int
    offset: int
    scale: float


class ThumbnailsHeader(TypedDict):
    """What a file of thumbnails begins with; half floats follow.

    `fingerprint` is the `v` of addresses of tiles, which are then cached for ever. `plates` come in the order of the
    graph; what is the same tensor under two names is listed under both.
    """

    v: Literal[1]
    type: Literal["thumbnails"]
    model: str
    fingerprint: str
    pool: Pool
    dtype: Literal["f16"]
    plates: list[PlateThumbnail]
