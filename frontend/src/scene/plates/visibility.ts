/** Which plates the eye sees, how large they are there, and how near the near plane may be. */

import { basisOf, eyeOf, FIELD_OF_VIEW, type Vec3 } from "../camera/camera";
import type { CameraState } from "../types";
import { BOX, boxesOf } from "./boxes";
import type { Window } from "./sheets";

/** The eye of one frame, with all that follows from it worked out once. */
export class Viewer {
  readonly eye: Vec3;
  private readonly right: Vec3;
  private readonly up: Vec3;
  private readonly back: Vec3;
  private readonly tx: number;
  private readonly ty: number;
  private readonly sideways: number;
  private readonly upward: number;
  /** Pixels of a cell that is one cell away. */
  readonly focal: number;
  /** Where the farthest ray of the window meets a plane that faces the viewer: its depth over the plane's distance. */
  private readonly slant: number;

  constructor(
    state: CameraState,
    readonly aspect: number,
    /** Of the window, in the pixels that are drawn. */
    height: number,
  ) {
    const { right, up, back } = basisOf(state.azimuth, state.elevation);
    [this.eye, this.right, this.up, this.back] = [eyeOf(state), right, up, back];
    this.ty = Math.tan(FIELD_OF_VIEW / 2);
    this.tx = this.ty * aspect;
    this.sideways = Math.hypot(1, this.tx);
    this.upward = Math.hypot(1, this.ty);
    this.focal = height / 2 / this.ty;
    const forward = back[2] - Math.abs(right[2]) * this.tx - Math.abs(up[2]) * this.ty;
    this.slant = forward > 0 ? 1 / forward : Number.POSITIVE_INFINITY;
  }

  /** From the eye to the nearest point of a rectangle of a plate. */
  distance(x: number, y: number, z: number, columns: number, rows: number): number {
    const { eye } = this;
    const ex = eye[0];
    const ey = eye[1];
    const ez = eye[2];
    const dx = Math.max(x - ex, 0, ex - x - columns);
    const dy = Math.max(-y - rows - ey, 0, ey + y);
    const dz = Math.max(z - 1 - ez, 0, ez - z);
    return Math.sqrt(dx * dx + dy * dy + dz * dz);
  }

  /** Pixels that a cell of a rectangle has at least, wherever in the window it is. */
  leastPixels(x: number, y: number, z: number, columns: number, rows: number): number {
    const [ex, ey, ez] = this.eye;
    const [bx, by, bz] = this.back;
    const corner = (ex - x) * bx + (ey + y) * by + (ez - z) * bz;
    const farthest = corner + Math.max(0, -columns * bx) + Math.max(0, rows * by);
    return this.focal / Math.max(1, Math.min(farthest, Math.abs(ez - z) * this.slant));
  }

  /** True if a rectangle (layout space) may be in the window: its bounding sphere meets the cone of view. */
  sees(x: number, y: number, z: number, columns: number, rows: number): boolean {
    const radius = Math.sqrt(columns * columns + rows * rows) / 2 + 1;
    return this.seesBall(x + columns / 2, y + rows / 2, z, radius);
  }

  /** From the eye to a point of layout space. */
  away(x: number, y: number, z: number): number {
    const { eye } = this;
    return Math.sqrt((x - eye[0]) ** 2 + (y + eye[1]) ** 2 + (z - eye[2]) ** 2);
  }

  /** True if a ball around a point of layout space may be in the window. */
  seesBall(x: number, y: number, z: number, radius: number): boolean {
    const { eye, right, up, back } = this;
    const ax = x - eye[0];
    const ay = -y - eye[1];
    const az = z - eye[2];
    const depth = -(ax * back[0] + ay * back[1] + az * back[2]);
    return (
      depth > -radius &&
      Math.abs(ax * right[0] + ay * right[1] + az * right[2]) < depth * this.tx + radius * this.sideways &&
      Math.abs(ax * up[0] + ay * up[1] + az * up[2]) < depth * this.ty + radius * this.upward
    );
  }

  /** Where a point of layout space is in a window of this size, and how large a cell is there; null when it is nearer
   *  than `near`, or behind. */
  project(
    x: number,
    y: number,
    z: number,
    width: number,
    height: number,
    near: number,
  ): { x: number; y: number; scale: number } | null {
    const { eye, right, up, back } = this;
    const [ax, ay, az] = [x - eye[0], -y - eye[1], z - eye[2]];
    const depth = -(ax * back[0] + ay * back[1] + az * back[2]);
    if (depth <= near) return null;
    const scale = height / 2 / this.ty / depth;
    return {
      x: width / 2 + (ax * right[0] + ay * right[1] + az * right[2]) * scale,
      y: height / 2 - (ax * up[0] + ay * up[1] + az * up[2]) * scale,
      scale,
    };
  }

  /** The nearest that anything in the window may be to the plane of the eye, when it is this far from the eye. */
  depthOf(distance: number): number {
    return distance / Math.hypot(1, this.tx, this.ty);
  }
}

export interface Visibility {
  /** Numbers of the windows in view, the nearest first. */
  readonly order: readonly number[];
  readonly near: number;
  readonly far: number;
  /** Pixels of the largest cell. */
  readonly largest: number;
}

export const NOTHING: Visibility = { order: [], near: 1, far: 2, largest: 0 };

const STEPS = 2048;

/** Room for the numbers and distances of what is in view: used again for every frame. */
let numbers = new Int32Array(0);
let distances = new Float64Array(0);

export function findVisible(windows: readonly Window[], viewer: Viewer): Visibility {
  const boxes = boxesOf(windows);
  if (numbers.length < windows.length) {
    numbers = new Int32Array(windows.length);
    distances = new Float64Array(windows.length);
  }
  let count = 0;
  let nearest = Number.POSITIVE_INFINITY;
  let farthest = 1;
  for (let number = 0; number < windows.length; number++) {
    const at = number * BOX;
    const x = boxes[at] as number;
    const y = boxes[at + 1] as number;
    const z = boxes[at + 2] as number;
    const columns = boxes[at + 3] as number;
    const rows = boxes[at + 4] as number;
    if (!viewer.sees(x, y, z, columns, rows)) continue;
    const distance = viewer.distance(x, y, z, columns, rows);
    if (distance < nearest) nearest = distance;
    farthest = Math.max(farthest, distance + Math.sqrt(columns * columns + rows * rows) + 2);
    numbers[count] = number;
    distances[count] = distance;
    count++;
  }
  const least = Number.isFinite(nearest) ? nearest : 1;
  const near = Math.max(0.02, viewer.depthOf(least) / 1.1);
  return {
    order: byDistance(count, least, farthest),
    near,
    far: Math.max(farthest * 1.1, near * 2),
    largest: count > 0 ? viewer.focal / Math.max(1, least) : 0,
  };
}

const starts = new Uint32Array(STEPS + 1);

/** Sorts by counting, in steps of distance: near enough to nearest-first, for what is hidden to be left out. */
function byDistance(count: number, nearest: number, farthest: number): number[] {
  const step = STEPS / Math.max(1e-9, farthest - nearest);
  const bucket = (i: number): number =>
    Math.min(STEPS - 1, Math.floor(((distances[i] as number) - nearest) * step));
  starts.fill(0);
  for (let i = 0; i < count; i++) starts[bucket(i) + 1] = (starts[bucket(i) + 1] as number) + 1;
  for (let i = 0; i < STEPS; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
  const order = new Array<number>(count);
  for (let i = 0; i < count; i++) {
    const at = bucket(i);
    order[starts[at] as number] = numbers[i] as number;
    starts[at] = (starts[at] as number) + 1;
  }
  return order;
}
