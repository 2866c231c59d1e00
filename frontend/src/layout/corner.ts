/** Where a section lies within the whole map, in words: "at the upper left". */

import type { Bounds } from "./types";

const ACROSS = ["left", "", "right"] as const;
const DOWN = ["upper", "", "lower"] as const;

/** The third of the whole that the middle of a part lies in, across and down. */
export function corner(part: Bounds, whole: Bounds): string {
  const across = ACROSS[third(part, whole, 0)]!;
  const down = DOWN[third(part, whole, 1)]!;
  if (across && down) return `at the ${down} ${across}`;
  if (across) return `on the ${across}`;
  return down === "" ? "in the middle" : down === "upper" ? "at the top" : "at the bottom";
}

function third(part: Bounds, whole: Bounds, axis: 0 | 1): number {
  const room = whole.max[axis] - whole.min[axis];
  if (room <= 0) return 1;
  const middle = (part.min[axis] + part.max[axis]) / 2 - whole.min[axis];
  return Math.max(0, Math.min(2, Math.floor((3 * middle) / room)));
}
