/** What two fingers mean: they pinch and pan together, or, moving side by side, tilt and turn the map. Which of the
 *  two is decided by what they do first, so that a pinch does not sway and a tilt does not zoom. Pure. */

/** The middle of the fingers and their mean distance from it, in CSS pixels. */
export interface Spread {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

export type TwoFingers = "undecided" | "pinch" | "turn";

/** So many pixels say what is meant. */
const ENOUGH = 8;

export function spreadOf(fingers: Iterable<{ readonly x: number; readonly y: number }>): Spread {
  const all = [...fingers];
  const x = all.reduce((sum, finger) => sum + finger.x, 0) / all.length;
  const y = all.reduce((sum, finger) => sum + finger.y, 0) / all.length;
  return {
    x,
    y,
    size: all.reduce((sum, finger) => sum + Math.hypot(finger.x - x, finger.y - y), 0) / all.length,
  };
}

/** From where two fingers began to where they are. */
export function meant(start: Spread, now: Spread): TwoFingers {
  const apart = Math.abs(now.size - start.size);
  const along = Math.hypot(now.x - start.x, now.y - start.y);
  if (Math.max(apart, along) < ENOUGH) return "undecided";
  // A pinch seldom keeps its middle still: the other gesture has to be clearly meant.
  return along > 2 * apart ? "turn" : "pinch";
}
