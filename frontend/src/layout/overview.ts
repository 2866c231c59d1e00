/** The whole map, small and flat: seen from the home direction without perspective, so that it looks like the first
 *  view and every point of it stands for one direction through the map. Pure. */

import type { Role } from "../graph/types";
import type { Layout } from "./types";
import { cameraAxes, dot, HOME_AZIMUTH, HOME_ELEVATION, type Point, plateCorners } from "./view";

const { right, down } = cameraAxes(HOME_AZIMUTH, HOME_ELEVATION);

export type PlanPoint = readonly [x: number, y: number];

export interface Overview {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly toPlan: (point: Point) => PlanPoint;
  /** The point of the map at this depth that is drawn there. */
  readonly fromPlan: (x: number, y: number, z: number) => Point;
}

/** The overview as large as fits into so many pixels. */
export function overviewOf({ plates }: Layout, mostWidth: number, mostHeight: number): Overview {
  let [left, top, most, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const plate of plates)
    for (const corner of plateCorners(plate)) {
      const [x, y] = [dot(corner, right), dot(corner, down)];
      [left, most] = [Math.min(left, x), Math.max(most, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  const scale = Math.min(mostWidth / (most - left), mostHeight / (bottom - top));
  return {
    width: (most - left) * scale,
    height: (bottom - top) * scale,
    toPlan: (point) => [(dot(point, right) - left) * scale, (dot(point, down) - top) * scale],
    fromPlan: (planX, planY, z) => {
      // Across the plan only x and z count: the direction looked in is not rolled.
      const x = (planX / scale + left - z * right[2]) / right[0];
      const y = (planY / scale + top - x * down[0] - z * down[2]) / down[1];
      return [x, y, z];
    },
  };
}

/** How far from the plan's own border a window's may be, as a share of the plan, and still show all of it: perspective
 *  moves what is near and far a little. */
const SLACK = 0.1;

/** Whether a window with these corners, in order round it, shows the whole plan. */
export function coversPlan(corners: readonly PlanPoint[], { width, height }: Overview): boolean {
  const [left, right] = [width * SLACK, width * (1 - SLACK)];
  const [top, bottom] = [height * SLACK, height * (1 - SLACK)];
  return [left, right].every((x) => [top, bottom].every((y) => within([x, y], corners)));
}

/** Whether a point is on one side of every edge. */
function within([x, y]: PlanPoint, corners: readonly PlanPoint[]): boolean {
  const sides = corners.map(([fromX, fromY], at) => {
    const [toX, toY] = corners[(at + 1) % corners.length] as PlanPoint;
    return (toX - fromX) * (y - fromY) - (toY - fromY) * (x - fromX);
  });
  return sides.every((side) => side >= 0) || sides.every((side) => side <= 0);
}

/** The outlines of all plates in an overview, the farthest first. */
export function outlines(
  { plates }: Layout,
  { toPlan }: Overview,
): readonly { readonly role: Role; readonly corners: readonly PlanPoint[] }[] {
  return [...plates]
    .sort((a, b) => a.z - b.z)
    .map((plate) => {
      const [a, b, c, d] = plateCorners(plate).map(toPlan) as [PlanPoint, PlanPoint, PlanPoint, PlanPoint];
      return { role: plate.role, corners: [a, b, d, c] };
    });
}
