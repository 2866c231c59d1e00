/** The eye, in numbers of double precision: where it is, what it sees, how it moves. World space has y up (layout
 *  y is negated); the eye stays in front of the plates, so that nothing is ever mirrored or upside down. */

import type { Matrix4 } from "three";
import { HOME_FOV } from "../../layout/view";
import type { CameraState } from "../types";

export type Vec3 = readonly [number, number, number];

export const FIELD_OF_VIEW = (HOME_FOV * Math.PI) / 180;
const LARGEST_AZIMUTH = 78;
const LOWEST = -60;
const HIGHEST = 80;

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));
export const add = (a: Vec3, b: Vec3, factor = 1): Vec3 => [
  a[0] + b[0] * factor,
  a[1] + b[1] * factor,
  a[2] + b[2] * factor,
];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export interface Basis {
  readonly right: Vec3;
  readonly up: Vec3;
  /** From what is looked at toward the eye. */
  readonly back: Vec3;
}

export function basisOf(azimuth: number, elevation: number): Basis {
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  const [sa, ca, se, ce] = [Math.sin(a), Math.cos(a), Math.sin(e), Math.cos(e)];
  return { right: [ca, 0, -sa], up: [-sa * se, ce, -ca * se], back: [sa * ce, se, ca * ce] };
}

/** Keeps the angles in front of the plates and the numbers finite. */
export function sane(state: CameraState): CameraState {
  const finite = (value: number, otherwise: number): number => (Number.isFinite(value) ? value : otherwise);
  return {
    target: [finite(state.target[0], 0), finite(state.target[1], 0), finite(state.target[2], 0)],
    distance: clamp(finite(state.distance, 100), 2, 4e6),
    azimuth: clamp(finite(state.azimuth, 0), -LARGEST_AZIMUTH, LARGEST_AZIMUTH),
    elevation: clamp(finite(state.elevation, 0), LOWEST, HIGHEST),
  };
}

/** A state in short numbers: as exact as is seen from its distance, which far out is not much. */
export function rounded({ target, distance, azimuth, elevation }: CameraState): CameraState {
  const places = clamp(4 - Math.floor(Math.log10(distance)), 0, 4);
  const short = (value: number): number => Number(value.toFixed(places));
  return {
    target: [short(target[0]), short(target[1]), short(target[2])],
    distance: Number(distance.toPrecision(6)),
    azimuth: Number(azimuth.toFixed(2)),
    elevation: Number(elevation.toFixed(2)),
  };
}

/** The eye in world space. */
export function eyeOf(state: CameraState): Vec3 {
  const [x, y, z] = state.target;
  return add([x, -y, z], basisOf(state.azimuth, state.elevation).back, state.distance);
}

/** A state with this eye (world space), looking the same way, focused `distance` ahead. */
export function lookingFrom(eye: Vec3, distance: number, azimuth: number, elevation: number): CameraState {
  const at = add(eye, basisOf(azimuth, elevation).back, -distance);
  return sane({ target: [at[0], -at[1], at[2]], distance, azimuth, elevation });
}

/** Projection times rotation, for points relative to the eye. */
export function viewMatrix(
  state: CameraState,
  aspect: number,
  near: number,
  far: number,
  out: Matrix4,
): Matrix4 {
  const { right, up, back } = basisOf(state.azimuth, state.elevation);
  const f = 1 / Math.tan(FIELD_OF_VIEW / 2);
  const a = -(far + near) / (far - near);
  const b = (-2 * far * near) / (far - near);
  return out.set(
    (f / aspect) * right[0],
    (f / aspect) * right[1],
    (f / aspect) * right[2],
    0,
    f * up[0],
    f * up[1],
    f * up[2],
    0,
    a * back[0],
    a * back[1],
    a * back[2],
    b,
    -back[0],
    -back[1],
    -back[2],
    0,
  );
}

/** Direction, in world space, through a point of the window: x and y from -1 to 1, y up. */
export function rayThrough(state: CameraState, aspect: number, x: number, y: number): Vec3 {
  const { right, up, back } = basisOf(state.azimuth, state.elevation);
  const t = Math.tan(FIELD_OF_VIEW / 2);
  return add(add(add([0, 0, 0], back, -1), right, x * t * aspect), up, y * t);
}

/** What stays free around what is shown, of half the window's height; above it there is the trail, and a label. */
const MARGIN = 0.06;
const MARGIN_ABOVE = 0.12;

/** Shares of the window's height that words beside what is shown take, besides the usual margins. */
export interface Insets {
  readonly left?: number;
  readonly above?: number;
  readonly below?: number;
}

/** The nearest state, looking this way, that has every point (world space) in the window with some margin. */
export function framing(
  points: Iterable<Vec3>,
  aspect: number,
  azimuth: number,
  elevation: number,
  { left = 0, above = 0, below = 0 }: Insets = {},
): CameraState {
  const { right, up, back } = basisOf(azimuth, elevation);
  const half = Math.tan(FIELD_OF_VIEW / 2);
  // Slopes of the four sides of what may be seen.
  const side = half * (1 - MARGIN) * aspect;
  const slopes = [
    side,
    Math.max(0.3 * side, side - 2 * half * left),
    half * Math.max(0.3, 1 - MARGIN_ABOVE - 2 * above),
    half * Math.max(0.3, 1 - MARGIN - 2 * below),
  ] as const;
  const most = [-Infinity, -Infinity, -Infinity, -Infinity];
  let [front, rear] = [-Infinity, Infinity];
  for (const point of points) {
    const [x, y, z] = [dot(point, right), dot(point, up), dot(point, back)];
    const reach = [x + slopes[0] * z, -x + slopes[1] * z, y + slopes[2] * z, -y + slopes[3] * z];
    for (let i = 0; i < 4; i++) most[i] = Math.max(most[i] as number, reach[i] as number);
    front = Math.max(front, z);
    rear = Math.min(rear, z);
  }
  const [a, b, c, d] = most as [number, number, number, number];
  const [toRight, toLeft, upward, downward] = slopes;
  const z = Math.max((a + b) / (toRight + toLeft), (c + d) / (upward + downward), front + 2);
  const across = (a - b + (toLeft - toRight) * z) / 2;
  const middle = (c - d + (downward - upward) * z) / 2;
  const eye = add(add(add([0, 0, 0], right, across), up, middle), back, z);
  return lookingFrom(eye, Math.max(2, z - (front + rear) / 2), azimuth, elevation);
}

/** The way from one state to another at `t` from 0 to 1: out and in again where it is far, as the eye expects. */
export function between(from: CameraState, to: CameraState, t: number): CameraState {
  const e = t * t * (3 - 2 * t);
  const mix = (a: number, b: number, k: number): number => a + (b - a) * k;
  const way = Math.hypot(...to.target.map((v, i) => v - (from.target[i] as number)));
  const larger = Math.max(from.distance, to.distance);
  const bump = Math.max(0, Math.log(Math.max(1e-9, way / (1.2 * larger)))) * 4 * e * (1 - e);
  const distance = Math.exp(mix(Math.log(from.distance), Math.log(to.distance), e) + bump);
  const ratio = from.distance / to.distance;
  // Pan in step with the zoom, so that the goal stays in view: linear in distance, not in time.
  const k = Math.abs(Math.log(ratio)) < 0.01 ? e : (1 - ratio ** -e) / (1 - 1 / ratio);
  return {
    target: [0, 1, 2].map((i) => mix(from.target[i] as number, to.target[i] as number, k)) as unknown as Vec3,
    distance,
    azimuth: mix(from.azimuth, to.azimuth, e),
    elevation: mix(from.elevation, to.elevation, e),
  };
}
