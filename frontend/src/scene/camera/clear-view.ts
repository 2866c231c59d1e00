/** From where a part of a plate is seen with nothing before it: heads stand behind each other, and straight on the
 *  front one hides the others. */

import type { Plate } from "../../layout/types";
import type { CameraState } from "../types";
import { add, eyeOf, type Vec3 } from "./camera";

export type Piece = Pick<Plate, "x" | "y" | "z" | "columns" | "rows">;

/** Azimuth and elevation, in degrees, tried after the caller's own: from above, what stands behind rises over what
 *  stands before; where heads are stacked it takes a steep look, from above or from the side. */
const OTHERS = [
  [-8, 24],
  [-8, 34],
  [-8, 46],
  [-8, 64],
  [-62, 20],
  [62, 20],
] as const;
/** Such a share of a piece in sight is as good as all of it. */
const CLEAR = 0.97;
const SAMPLES = [0.02, 0.26, 0.5, 0.74, 0.98];

/** The first of some views of a piece that shows nearly all of it, or the one that shows most. */
export function clearView(
  piece: Piece,
  plates: readonly Piece[],
  from: { readonly azimuth: number; readonly elevation: number },
  look: (azimuth: number, elevation: number) => CameraState,
): CameraState {
  let best = look(from.azimuth, from.elevation);
  let most = shareInSight(piece, plates, best);
  for (const [azimuth, elevation] of OTHERS) {
    if (most >= CLEAR) break;
    const state = look(azimuth, elevation);
    const share = shareInSight(piece, plates, state);
    if (share > most + 0.02) [best, most] = [state, share];
  }
  return best;
}

/** How much of a piece the eye sees past all plates before it, from 0 to 1. */
export function shareInSight(piece: Piece, plates: readonly Piece[], state: CameraState): number {
  const eye = eyeOf(state);
  const before = plates.filter((plate) => mayHide(plate, piece, eye));
  let seen = 0;
  for (const across of SAMPLES)
    for (const down of SAMPLES) {
      const point: Vec3 = [piece.x + piece.columns * across, -piece.y - piece.rows * down, piece.z];
      if (!before.some((plate) => hides(plate, eye, point))) seen++;
    }
  return seen / SAMPLES.length ** 2;
}

/** Whether a plate stands between eye and piece, and within the box around both. */
function mayHide({ x, y, z, columns, rows }: Piece, piece: Piece, eye: Vec3): boolean {
  return (
    z > piece.z + 0.5 &&
    z < eye[2] &&
    x < Math.max(eye[0], piece.x + piece.columns) &&
    x + columns > Math.min(eye[0], piece.x) &&
    y < Math.max(-eye[1], piece.y + piece.rows) &&
    y + rows > Math.min(-eye[1], piece.y)
  );
}

function hides({ x, y, z, columns, rows }: Piece, eye: Vec3, point: Vec3): boolean {
  const along = (z - eye[2]) / (point[2] - eye[2]);
  const at = add(eye, add(point, eye, -1), along);
  return at[0] > x && at[0] < x + columns && -at[1] > y && -at[1] < y + rows;
}
