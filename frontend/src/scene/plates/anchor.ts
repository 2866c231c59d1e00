/** What the eye looks at, held on to while plates are laid out anew: the plate nearest to the point looked at, and where
 *  on it. */

import type { Plate } from "../../layout/types";
import type { Vec3 } from "../camera/camera";
import type { Stage } from "./plate-state";

export interface Anchor {
  readonly tensor: string;
  /** First cell of the plate, in the axis order of its source. */
  readonly origin: readonly number[];
  /** Where the plate was, in layout space. */
  readonly place: Vec3;
}

/** Finds the plate nearest to a point of layout space; null where there is none. */
export function anchorOf({ layout: { plates } }: Stage, at: Vec3): Anchor | null {
  let nearest = Number.POSITIVE_INFINITY;
  let found: Plate | null = null;
  for (const plate of plates) {
    const away = awayFrom(plate, at);
    if (away < nearest) [nearest, found] = [away, plate];
  }
  return found && { tensor: found.tensor, origin: found.origin, place: placeOf(found) };
}

/** How far the plate went: nowhere where there is no such plate any more. */
export function wayOf({ layout: { plates } }: Stage, { tensor, origin, place }: Anchor): Vec3 {
  const same = plates.find(
    (plate) => plate.tensor === tensor && plate.origin.every((index, axis) => index === origin[axis]),
  );
  if (!same) return [0, 0, 0];
  const now = placeOf(same);
  return [now[0] - place[0], now[1] - place[1], now[2] - place[2]];
}

const placeOf = ({ x, y, z }: Plate): Vec3 => [x, y, z];

/** The distance from a point to a plate's face. */
function awayFrom({ x, y, z, columns, rows }: Plate, at: Vec3): number {
  const outside = (value: number, from: number, size: number): number =>
    Math.max(from - value, 0, value - from - size);
  return Math.hypot(outside(at[0], x, columns), outside(at[1], y, rows), at[2] - z);
}
