/** Which cells are large enough on the screen to have their numbers printed. */

import { basisOf, dot, eyeOf, FIELD_OF_VIEW, type Vec3 } from "../camera/camera";
import type { Window } from "../plates/sheets";
import type { CameraState } from "../types";

/** CSS pixels a cell from which its number is printed, and over how many more it fades in. */
export const DIGITS_FROM = 35;
export const DIGITS_FADE = 3;

/** A cell may be so many times lower, seen from above, before its number goes. */
export const DIGITS_LOW = 1.8;

/** Characters that a cell of at least so many CSS pixels has room for, one of them for the space between numbers, and
 *  the most digits printed in it. Nine digits tell every number in single precision from every other. */
const ROOMS: readonly { readonly from: number; readonly room: number; readonly digits: number }[] = [
  { from: 160, room: 15, digits: 9 },
  { from: 96, room: 12, digits: 7 },
  { from: 64, room: 9, digits: 5 },
  { from: 0, room: 7, digits: 4 },
];

/** A rectangle of a plate, in its cells, that is in the window and near enough. */
export interface Reach {
  /** Place of the plate among the windows. */
  readonly number: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly room: number;
  readonly digits: number;
}

/** A corner of what is in view: right, up and ahead of the eye, and where that is on the plate. */
type Corner = readonly [right: number, up: number, ahead: number, column: number, row: number];

/** Cuts a polygon at a plane: what lies where `side` is positive stays. */
function cut(polygon: readonly Corner[], side: (corner: Corner) => number): Corner[] {
  const left: Corner[] = [];
  for (const [i, corner] of polygon.entries()) {
    const next = polygon[(i + 1) % polygon.length] as Corner;
    const [here, there] = [side(corner), side(next)];
    if (here >= 0) left.push(corner);
    if (here >= 0 === there >= 0) continue;
    const t = here / (here - there);
    left.push(corner.map((value, k) => value + ((next[k] as number) - value) * t) as unknown as Corner);
  }
  return left;
}

/** The cells to print, of the plates of `order` (the nearest first); `height` is the window's, in CSS pixels. */
export function cellsInReach(
  windows: readonly Window[],
  order: readonly number[],
  state: CameraState,
  aspect: number,
  height: number,
): Reach[] {
  const { right, up, back } = basisOf(state.azimuth, state.elevation);
  const eye = eyeOf(state);
  const ty = Math.tan(FIELD_OF_VIEW / 2);
  const tx = ty * aspect;
  const focal = height / 2 / ty;
  // Seen from the side a cell is narrower than it is near. A number is wider than tall: it is still read in cells that
  // are lower than wide.
  const narrow = Math.min(Math.hypot(right[0], up[0]), DIGITS_LOW * Math.hypot(right[1], up[1]));
  const farthest = (focal * narrow) / DIGITS_FROM;
  const reaches: Reach[] = [];
  for (const number of order) {
    const { x, y, z, columns, rows } = (windows[number] as Window).plate;
    if (eye[2] <= z || eye[2] - z > farthest * 8) continue;
    const corner = (column: number, row: number): Corner => {
      const way: Vec3 = [x + column - eye[0], -y - row - eye[1], z - eye[2]];
      return [dot(way, right), dot(way, up), -dot(way, back), column, row];
    };
    let seen: Corner[] = [corner(0, 0), corner(columns, 0), corner(columns, rows), corner(0, rows)];
    for (const side of [
      ([, , ahead]: Corner) => ahead - 0.01,
      ([, , ahead]: Corner) => farthest - ahead,
      ([across, , ahead]: Corner) => ahead * tx - across,
      ([across, , ahead]: Corner) => ahead * tx + across,
      ([, upward, ahead]: Corner) => ahead * ty - upward,
      ([, upward, ahead]: Corner) => ahead * ty + upward,
    ])
      seen = cut(seen, side);
    if (seen.length < 3) continue;
    const across = seen.map((at) => at[3]);
    const down = seen.map((at) => at[4]);
    const pixels = (focal * narrow) / Math.min(...seen.map((at) => at[2]));
    const { room, digits } = ROOMS.find(({ from }) => pixels >= from) ?? (ROOMS.at(-1) as (typeof ROOMS)[0]);
    reaches.push({
      number,
      left: Math.max(0, Math.floor(Math.min(...across))),
      top: Math.max(0, Math.floor(Math.min(...down))),
      right: Math.min(columns, Math.ceil(Math.max(...across))),
      bottom: Math.min(rows, Math.ceil(Math.max(...down))),
      room,
      digits,
    });
  }
  return reaches;
}
