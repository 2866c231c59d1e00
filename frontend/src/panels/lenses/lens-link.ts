/** The two-way link between a lens's table and the map: a row speaks of cells, and cells are found in rows. */

import type { LensPlace } from "../../net/lenses";
import type { FlightPort, PickPort } from "../../scene/ports";
import { type Cell, marked, selected } from "../../state/store";
import { choose } from "../shared/actions";

/** Lights what a row speaks of; null lets go. */
export function point(place: LensPlace | null | undefined): void {
  marked.value = place ? [{ tensor: place[0], index: place[1] }] : [];
}

/** Chooses a row's cell and flies there; whole rows and plates are lit. False where the map does not draw them. */
export function visit(map: (PickPort & FlightPort) | null, place: LensPlace | null | undefined): boolean {
  if (!place) return false;
  const [tensor, index] = place;
  const cell = { tensor, index: index.map((at) => at ?? 0) };
  if (index.every((at) => at !== null)) choose(map, cell);
  point(place);
  return map?.flyTo(cell) ?? false;
}

/** Tells whether a cell is among those that a row speaks of. */
export function speaksOf(place: LensPlace | null | undefined, cell: Cell | null): boolean {
  return (
    place?.[0] === cell?.tensor &&
    place !== null &&
    place !== undefined &&
    place[1].every((at, axis) => at === null || at === cell?.index[axis])
  );
}

/** The row that speaks of the cell chosen in the map; null where none does. */
export function chosenRow(places: readonly (LensPlace | null)[] | undefined): number | null {
  const cell = selected.value;
  if (!cell || !places) return null;
  const row = places.findIndex((place) => speaksOf(place, cell));
  return row < 0 ? null : row;
}
