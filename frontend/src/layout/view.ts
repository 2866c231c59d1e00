/** From where to look: the nearest camera of a fixed direction that has everything in view.
 *
 *  For a camera that only moves, every side of the view is a plane of fixed slope, so the nearest place is found
 *  exactly, from the outermost point along four directions, without searching.
 */

import type { Bounds, Plate } from "./types";

export type Point = readonly [number, number, number];

export interface View {
  /** The point looked at. */
  readonly target: Point;
  /** From the target to the camera. */
  readonly distance: number;
  /** Radians; negative looks from the left. */
  readonly azimuth: number;
  /** Radians; positive looks from above. */
  readonly elevation: number;
}

export interface Lens {
  /** Vertical field of view, in degrees. */
  readonly fov: number;
  /** Width over height of the window. */
  readonly aspect: number;
}

/** From the front, the left and a little above: heads, which go away from the viewer, fan out up and to the left. */
export const HOME_AZIMUTH = (-25 * Math.PI) / 180;
export const HOME_ELEVATION = (13 * Math.PI) / 180;
/** The field of view that the map is laid out for, in degrees; the scene's camera should have it too. */
export const HOME_FOV = 32;
/** Share of the window left free around what is shown. */
const MARGIN = 0.06;

export interface CameraAxes {
  readonly right: Point;
  readonly down: Point;
  readonly toward: Point;
}

/** The camera's own directions, in map space (y down). */
export function cameraAxes(azimuth: number, elevation: number): CameraAxes {
  const [sa, ca] = [Math.sin(azimuth), Math.cos(azimuth)];
  const [se, ce] = [Math.sin(elevation), Math.cos(elevation)];
  return { right: [ca, 0, -sa], down: [sa * se, ce, ca * se], toward: [sa * ce, -se, ca * ce] };
}

export function dot(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** How far points reach toward each side of the view: what fixes the nearest camera that still sees them all. */
export interface Reach {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
}

/** Half the window's height and width, one unit before the camera. */
function halfWindow(lens: Lens): { readonly vertical: number; readonly horizontal: number } {
  const vertical = Math.tan((lens.fov * Math.PI) / 360) * (1 - MARGIN);
  return { vertical, horizontal: vertical * lens.aspect };
}

/** The reach of points, with the camera in this direction. */
export function reachOf(points: Iterable<Point>, lens: Lens, axes: CameraAxes): Reach {
  const { vertical, horizontal } = halfWindow(lens);
  let [left, right, up, down] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const point of points) {
    const [x, y, near] = [dot(point, axes.right), dot(point, axes.down), dot(point, axes.toward)];
    left = Math.min(left, x - horizontal * near);
    right = Math.max(right, x + horizontal * near);
    up = Math.min(up, y - vertical * near);
    down = Math.max(down, y + vertical * near);
  }
  return { left, right, up, down };
}

/** The reach of the same points elsewhere. */
export function movedReach(reach: Reach, by: Point, lens: Lens, axes: CameraAxes): Reach {
  const step = reachOf([by], lens, axes);
  return {
    left: reach.left + step.left,
    right: reach.right + step.right,
    up: reach.up + step.up,
    down: reach.down + step.down,
  };
}

/** The reach of several sets of points together. */
export function unitedReach(reaches: readonly Reach[]): Reach {
  return {
    left: smallest(reaches.map(({ left }) => left)),
    right: largest(reaches.map(({ right }) => right)),
    up: smallest(reaches.map(({ up }) => up)),
    down: largest(reaches.map(({ down }) => down)),
  };
}

/** How far along `toward` (from the map's origin) the nearest camera is that holds this reach. */
export function nearestCamera(reach: Reach, lens: Lens): number {
  const { vertical, horizontal } = halfWindow(lens);
  return Math.max((reach.right - reach.left) / (2 * horizontal), (reach.down - reach.up) / (2 * vertical));
}

/** The nearest view in this direction that holds all these points. */
export function viewOfPoints(
  points: readonly Point[],
  lens: Lens,
  azimuth: number = HOME_AZIMUTH,
  elevation: number = HOME_ELEVATION,
): View {
  const axes = cameraAxes(azimuth, elevation);
  const reach = reachOf(points, lens, axes);
  const nears = points.map((point) => dot(point, axes.toward));
  // The plane looked at halves the depth of what is shown.
  const plane = (largest(nears) + smallest(nears)) / 2;
  const [x, y] = [(reach.left + reach.right) / 2, (reach.up + reach.down) / 2];
  const along = (i: 0 | 1 | 2): number => axes.right[i] * x + axes.down[i] * y + axes.toward[i] * plane;
  const distance = nearestCamera(reach, lens) - plane;
  return { target: [along(0), along(1), along(2)], distance, azimuth, elevation };
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), -Infinity);
}

function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Infinity);
}

/** The corners of a box. */
export function corners({ min, max }: Bounds): readonly Point[] {
  return [min[0], max[0]].flatMap((x) =>
    [min[1], max[1]].flatMap((y) => [min[2], max[2]].map((z): Point => [x, y, z])),
  );
}

/** The corners of a plate's front face. */
export function plateCorners(plate: Pick<Plate, "x" | "y" | "z" | "columns" | "rows">): readonly Point[] {
  const [right, bottom] = [plate.x + plate.columns, plate.y + plate.rows];
  return [
    [plate.x, plate.y, plate.z],
    [right, plate.y, plate.z],
    [plate.x, bottom, plate.z],
    [right, bottom, plate.z],
  ];
}

/** The first view: all plates, nothing cut off. */
export function homeView(layout: { readonly plates: readonly Plate[] }, lens: Lens): View {
  return viewOfPoints(layout.plates.flatMap(plateCorners), lens);
}

/** A view that holds a region or a plate, from the home direction unless told otherwise. */
export function viewOfBounds(bounds: Bounds, lens: Lens, azimuth?: number, elevation?: number): View {
  return viewOfPoints(corners(bounds), lens, azimuth, elevation);
}

/** Where the camera stands for a view, in map space (y down). */
export function cameraPosition(view: View): Point {
  const { toward } = cameraAxes(view.azimuth, view.elevation);
  return [
    view.target[0] + toward[0] * view.distance,
    view.target[1] + toward[1] * view.distance,
    view.target[2] + toward[2] * view.distance,
  ];
}
