/** What of a plane at one depth the window shows: where the rays through its corners meet it. Pure. */

import { add, eyeOf, rayThrough, type Vec3 } from "../camera/camera";
import type { CameraState } from "../types";

const CORNERS = [
  [-1, 1],
  [1, 1],
  [1, -1],
  [-1, -1],
] as const;
/** A ray that hardly goes toward the plane, or away from it, is followed so many distances far. */
const FAR = 12;

/** The corners in layout space (y down), from the upper left round to the right. */
export function footprint(state: CameraState, aspect: number): readonly Vec3[] {
  const eye = eyeOf(state);
  const depth = state.target[2];
  return CORNERS.map(([x, y]) => {
    const way = rayThrough(state, aspect, x, y);
    const along = (depth - eye[2]) / way[2];
    const far = FAR * state.distance;
    const [px, py] = add(eye, way, way[2] < 0 ? Math.min(along, far) : far);
    return [px, -py, depth];
  });
}
