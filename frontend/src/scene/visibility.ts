/** Which plates the eye sees, how near they are, and how near the near plane may be. */

import { add, basisOf, dot, eyeOf, FIELD_OF_VIEW, type Vec3 } from "./camera";
import type { Window } from "./sheets";
import type { CameraState } from "./types";

export interface Visibility {
  /** Numbers of the windows in view, the nearest first. */
  readonly order: readonly number[];
  readonly near: number;
  readonly far: number;
}

/** From the eye to the nearest point of a rectangle of a plate. */
export function distanceTo(
  eye: Vec3,
  x: number,
  y: number,
  z: number,
  columns: number,
  rows: number,
): number {
  const dx = Math.max(x - eye[0], 0, eye[0] - x - columns);
  const dy = Math.max(-y - rows - eye[1], 0, eye[1] + y);
  const dz = Math.max(z - 1 - eye[2], 0, eye[2] - z);
  return Math.hypot(dx, dy, dz);
}

/** True if a rectangle (layout space) may be in the window: its bounding sphere meets the cone of view. */
export function mayBeSeen(
  state: CameraState,
  aspect: number,
  x: number,
  y: number,
  z: number,
  columns: number,
  rows: number,
): boolean {
  const { right, up, back } = basisOf(state.azimuth, state.elevation);
  const arm = add([x + columns / 2, -y - rows / 2, z], eyeOf(state), -1);
  const radius = Math.hypot(columns, rows) / 2 + 1;
  const depth = -dot(arm, back);
  const ty = Math.tan(FIELD_OF_VIEW / 2);
  const tx = ty * aspect;
  return (
    depth > -radius &&
    Math.abs(dot(arm, right)) < depth * tx + radius * Math.hypot(1, tx) &&
    Math.abs(dot(arm, up)) < depth * ty + radius * Math.hypot(1, ty)
  );
}

export function findVisible(windows: readonly Window[], state: CameraState, aspect: number): Visibility {
  const eye = eyeOf(state);
  const seen: { index: number; distance: number }[] = [];
  let nearest = Number.POSITIVE_INFINITY;
  let farthest = 1;
  for (const [index, { plate }] of windows.entries()) {
    if (!mayBeSeen(state, aspect, plate.x, plate.y, plate.z, plate.columns, plate.rows)) continue;
    const distance = distanceTo(eye, plate.x, plate.y, plate.z, plate.columns, plate.rows);
    nearest = Math.min(nearest, distance);
    farthest = Math.max(farthest, distance + Math.hypot(plate.columns, plate.rows) + 2);
    seen.push({ index, distance });
  }
  seen.sort((a, b) => a.distance - b.distance);
  const ty = Math.tan(FIELD_OF_VIEW / 2);
  // Depth is the distance along the line of sight: at the window's corner, less than the way there.
  const near = Math.max(
    0.02,
    (Number.isFinite(nearest) ? nearest : 1) / Math.hypot(1, ty, ty * aspect) / 1.1,
  );
  return { order: seen.map(({ index }) => index), near, far: Math.max(farthest * 1.1, near * 2) };
}
