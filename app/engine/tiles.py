"""Tiles and statistics of plates, whether of a weight or of a run: cut on the tile thread, kept while there is room.

tile = await tiles.tile(weight_plate(loaded, "W_E", []), 0, 0, 0, "mean", client)
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence

from ..runs.clients import Client
from ..runs.plates import HEAD_AXES, Plate, plate_axes
from ..runs.pooling import Pool
from ..runs.statistics import Statistics, statistics
from ..runs.tiles import Pyramids, Tile, check_tile
from .errors import EngineError, refusals
from .values import Measured
from .workers import Workers

_STATISTICS_KEPT = 4096


class Tiles:
    """What is cut of plates for clients, in turns."""

    def __init__(self, workers: Workers, limit_bytes: int) -> None:
        """Cut on the workers' tile thread; what has been pooled may take `limit_bytes`."""
        self._workers, self.pyramids = workers, Pyramids(limit_bytes)
        self._statistics: OrderedDict[Hashable, Statistics] = OrderedDict()

    async def tile(self, plate: Plate, level: int, row: int, col: int, pool: Pool, client: Client) -> Tile:
        """Cut a tile of a plate.

        Raises:
            EngineError: the plate has no such tile, or too much waits.
        """
        with refusals():
            check_tile(plate.name, plate.rows, plate.cols, level, row, col)
        tile: Tile | None = await self._workers.cut(self.pyramids.tile(plate, level, row, col, pool), client)
        assert tile is not None
        return tile

    async def measure(self, name: str, shape: Sequence[int], plates: Sequence[Plate], client: Client) -> Measured:
        """Measure all numbers of a tensor's plates."""
        key = (plates[0].key, tuple(shape))
        found = self._statistics.get(key)
        if found is None:
            found = await self._workers.cut(statistics(plates, self.pyramids.cells), client)
            assert found is not None
            self._statistics[key] = found
            if len(self._statistics) > _STATISTICS_KEPT:
                self._statistics.popitem(last=False)
        return Measured(name, tuple(shape), found)


def plate_index(name: str, axes: Sequence[str], given: Mapping[str, int]) -> list[int]:
    """Return a plate's index among those of a tensor with these axes, from what was given of each axis.

    Raises:
        EngineError: the plates of the tensor have no such axis.
    """
    named = [axes[place] for place in plate_axes(axes)]
    for axis in given:
        if axis not in named:
            hint = f"Give {', '.join(named)}." if named else "Leave it out: this tensor is one plate."
            raise EngineError("unknown_plate", f"{name} [{', '.join(axes)}] has no axis {axis}", hint)
    return [given[axis] for axis in named if axis in HEAD_AXES and axis in given]
