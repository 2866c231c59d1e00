/** Where all plates stand, as numbers in a row: what is asked of thousands of plates in every frame is read from
 *  here. */

import type { Window } from "./sheets";

/** Numbers a plate: x, y, z, columns, rows. */
export const BOX = 5;

const known = new WeakMap<readonly Window[], Float64Array>();

/** The boxes of these windows' plates, worked out once for each list of them. */
export function boxesOf(windows: readonly Window[]): Float64Array {
  const before = known.get(windows);
  if (before) return before;
  const boxes = new Float64Array(windows.length * BOX);
  for (let i = 0; i < windows.length; i++) {
    const { x, y, z, columns, rows } = (windows[i] as Window).plate;
    boxes[i * BOX] = x;
    boxes[i * BOX + 1] = y;
    boxes[i * BOX + 2] = z;
    boxes[i * BOX + 3] = columns;
    boxes[i * BOX + 4] = rows;
  }
  known.set(windows, boxes);
  return boxes;
}
