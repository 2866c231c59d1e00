/** Views worth going to: a set of plates, a region, a tensor, a cell of it; and those that are measured. */

import type { Layout, Plate } from "../../layout/types";
import { HOME_AZIMUTH, HOME_ELEVATION } from "../../layout/view";
import type { Place } from "../plates/plate-state";
import type { CellRectangle } from "../plates/sheets";
import type { BenchmarkView, CameraState } from "../types";
import { framing, type Insets, sane, type Vec3 } from "./camera";
import { clearView, type Piece } from "./clear-view";

export const HOME = { azimuth: (HOME_AZIMUTH * 180) / Math.PI, elevation: (HOME_ELEVATION * 180) / Math.PI };
/** From here the digits of a cell can be read. */
export const READING_DISTANCE = 26;

export function framingOf(
  plates: readonly Piece[],
  aspect: number,
  azimuth = HOME.azimuth,
  elevation = HOME.elevation,
  insets: Insets = {},
): CameraState {
  const points: Vec3[] = [];
  for (const { x, y, z, columns, rows } of plates)
    points.push([x, -y, z], [x + columns, -y, z], [x, -y - rows, z], [x + columns, -y - rows, z]);
  return framing(points, aspect, azimuth, elevation, insets);
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

/** A plate, or a part of one, nearly straight on, seen from the side where the eye is and past what stands before
 *  it; with room for the words along it. */
export function plateView(
  piece: Piece,
  plates: readonly Plate[],
  aspect: number,
  now: CameraState,
  insets: Insets = {},
): CameraState {
  const from = { azimuth: now.azimuth / 3, elevation: now.elevation / 3 };
  return clearView(piece, plates, from, (azimuth, elevation) =>
    framingOf([piece], aspect, azimuth, elevation, insets),
  );
}

/** Cells on plates: one cell from near by, some cells of one plate nearly straight on, several plates as they stand.
 *  Null for none. */
export function placesView(
  places: readonly Place[],
  plates: readonly Plate[],
  aspect: number,
  now: CameraState,
  insets: Insets = {},
): CameraState | null {
  const [first, ...others] = places;
  if (!first) return null;
  const pieces = places.map(({ plate, rectangle }) => pieceOf(plate, rectangle));
  if (others.length > 0) return framingOf(pieces, aspect);
  const [piece] = pieces as [Piece];
  const from = { azimuth: now.azimuth / 3, elevation: now.elevation / 3 };
  return clearView(piece, plates, from, (azimuth, elevation) => {
    const whole = framingOf([first.plate], aspect, azimuth, elevation, insets);
    const close = framingOf([piece], aspect, azimuth, elevation, insets);
    const single = piece.columns === 1 && piece.rows === 1;
    const distance = single ? READING_DISTANCE : Math.max(READING_DISTANCE, close.distance);
    if (whole.distance < distance + 20) return whole;
    if (distance === close.distance) return close;
    const { x, y, z, columns, rows } = piece;
    return sane({ ...whole, target: [x + columns / 2, y + rows / 2, z], distance });
  });
}

/** The part of a plate's face that a rectangle of its cells covers. */
function pieceOf({ x, y, z }: Plate, [left, top, right, bottom]: CellRectangle): Piece {
  return { x: x + left, y: y + top, z, columns: right - left, rows: bottom - top };
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

/** A view that pans: where it is after so many frames, a few pixels from the last, and back. */
export function panned(from: CameraState, frame: number): CameraState {
  const { target, distance } = from;
  return { ...from, target: [target[0] + Math.sin(frame / 10) * distance * 0.02, target[1], target[2]] };
}
