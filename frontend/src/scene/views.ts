/** Views worth going to: a set of plates, a region, a tensor, a cell of it; and those that are measured. */

import type { Layout, Plate } from "../layout/types";
import { HOME_AZIMUTH, HOME_ELEVATION } from "../layout/view";
import { framing, sane, type Vec3 } from "./camera";
import type { CellRectangle } from "./sheets";
import type { BenchmarkView, CameraState } from "./types";

export const HOME = { azimuth: (HOME_AZIMUTH * 180) / Math.PI, elevation: (HOME_ELEVATION * 180) / Math.PI };
/** From here the digits of a cell can be read. */
export const READING_DISTANCE = 26;

export function framingOf(
  plates: readonly Plate[],
  aspect: number,
  azimuth = HOME.azimuth,
  elevation = HOME.elevation,
): CameraState {
  const points: Vec3[] = [];
  for (const { x, y, z, columns, rows } of plates)
    points.push([x, -y, z], [x + columns, -y, z], [x, -y - rows, z], [x + columns, -y - rows, z]);
  return framing(points, aspect, azimuth, elevation);
}

export function regionView(layout: Layout, name: string, aspect: number): CameraState | null {
  const region = layout.regions.find(({ id, name: shown }) => id === name || shown === name);
  if (!region) return null;
  const { min, max } = region.bounds;
  const corners: Vec3[] = [];
  for (const x of [min[0], max[0]])
    for (const y of [min[1], max[1]]) for (const z of [min[2], max[2]]) corners.push([x, -y, z]);
  return framing(corners, aspect, HOME.azimuth, HOME.elevation);
}

/** A plate nearly straight on, seen from the side where the eye is. */
export function plateView(plate: Plate, aspect: number, now: CameraState): CameraState {
  return framingOf([plate], aspect, now.azimuth / 3, now.elevation / 3);
}

/** A cell from near by; the whole plate where the rectangle is more than a cell, or the plate small. */
export function cellView(
  plate: Plate,
  rectangle: CellRectangle,
  aspect: number,
  now: CameraState,
): CameraState {
  const whole = plateView(plate, aspect, now);
  const [left, top, right, bottom] = rectangle;
  if (right - left > 1 || bottom - top > 1 || whole.distance < READING_DISTANCE + 20) return whole;
  const cell: Vec3 = [plate.x + (left + right) / 2, plate.y + (top + bottom) / 2, plate.z];
  return sane({ ...whole, target: cell, distance: READING_DISTANCE });
}

/** The views that are measured: whole model, tilted, one block, its largest plate filling the window, its cells. */
export function benchmarkView(layout: Layout, view: BenchmarkView, aspect: number): CameraState {
  const { plates } = layout;
  const largest = plates.reduce((a, b) => (b.rows * b.columns > a.rows * a.columns ? b : a));
  const block = layout.regions.find((region) => region.kind === "block")?.name;
  if (view === "tilted") return framingOf(plates, aspect, 35, 35);
  if (view === "block" && block) return regionView(layout, block, aspect) ?? framingOf(plates, aspect);
  if (view === "plate" || view === "cells") {
    const straight = framingOf([largest], aspect, 0, 0);
    const middle = [largest.x + largest.columns / 2, largest.y + largest.rows / 2, largest.z] as const;
    return view === "plate" ? straight : sane({ ...straight, target: middle, distance: 40 });
  }
  return framingOf(plates, aspect);
}
