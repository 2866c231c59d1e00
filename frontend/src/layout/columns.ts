/** Wrapping: sections stand in columns, as many as bring the camera nearest while it still sees everything. */

import { DEPTH_LEFT } from "./attention";
import type { Measures } from "./measures";
import type { Section } from "./sections";
import { moved, type Piece } from "./sheet";
import {
  type CameraAxes,
  cameraAxes,
  dot,
  HOME_AZIMUTH,
  HOME_ELEVATION,
  type Lens,
  movedReach,
  nearestCamera,
  plateCorners,
  type Reach,
  reachOf,
  unitedReach,
} from "./view";

/** A section in its place. */
export interface PlacedSection extends Omit<Section, "pieces"> {
  readonly pieces: readonly Piece[];
  readonly column: number;
  readonly x: number;
  readonly y: number;
}

/** How far left of the stream a section reaches, as seen from the home direction. */
function leftReach(pieces: readonly Piece[]): number {
  return pieces.reduce((reach, { x, z }) => Math.max(reach, -(x + z * DEPTH_LEFT)), 0);
}

/** Split heights into `count` runs of neighbours, as even as can be (least sum of squares); the first of each. */
function evenRuns(heights: readonly number[], count: number): readonly number[] {
  const total = [0];
  for (const height of heights) total.push(total.at(-1)! + height);
  const n = heights.length;
  let cost = total.map((_, end) => (end === 0 ? 0 : Infinity));
  const starts: number[][] = [];
  for (let run = 0; run < count; run++) {
    const next = new Array<number>(n + 1).fill(Infinity);
    const from = new Array<number>(n + 1).fill(0);
    for (let end = run + 1; end <= n; end++)
      for (let start = run; start < end; start++) {
        const here = cost[start]! + (total[end]! - total[start]!) ** 2;
        if (here < next[end]!) [next[end], from[end]] = [here, start];
      }
    cost = next;
    starts.push(from);
  }
  const firsts: number[] = [];
  for (let run = count - 1, end = n; run >= 0; run--) {
    end = starts[run]![end]!;
    firsts.unshift(end);
  }
  return firsts;
}

interface Corner {
  readonly column: number;
  readonly x: number;
  readonly y: number;
}

/** Where every section goes when a new column starts at each of `firsts`. */
function cornersOf(
  list: readonly Section[],
  sides: readonly number[],
  firsts: readonly number[],
  measures: Measures,
): readonly Corner[] {
  const { gap, positions } = measures;
  const placed: Corner[] = [];
  let x = 0;
  firsts.forEach((first, column) => {
    const end = firsts[column + 1] ?? list.length;
    // Between two columns: the stream on its way up, with a gap on both sides.
    if (column > 0) x += positions + 3 * gap + streamWidth(measures) + Math.max(...sides.slice(first, end));
    let y = 0;
    for (let i = first; i < end; i++) {
      placed.push({ column, x, y });
      y += list[i]!.height + 2 * gap;
    }
  });
  return placed;
}

/** How wide the band of the residual stream is drawn. */
export function streamWidth({ positions, modelWidth }: Measures): number {
  return Math.max(1, Math.min(positions * 0.6, modelWidth / 5));
}

/** The sections in the columns that suit the window. */
export function inColumns(
  list: readonly Section[],
  measures: Measures,
  lens: Lens,
): readonly PlacedSection[] {
  const axes = cameraAxes(HOME_AZIMUTH, HOME_ELEVATION);
  const shapes = shapesOf(list, lens, axes);
  const sides = shapes.map(({ side }) => side);
  const heights = list.map(({ height }) => height + 2 * measures.gap);
  let best: { distance: number; corners: readonly Corner[] } = { distance: Infinity, corners: [] };
  for (let count = 1; count <= list.length; count++) {
    const corners = cornersOf(list, sides, evenRuns(heights, count), measures);
    const reach = unitedReach(
      corners.map(({ x, y }, i) => movedReach(shapes[i]!.reach, [x, y, 0], lens, axes)),
    );
    const middles = corners.map(({ x, y }, i) => dot([x, y + list[i]!.height / 2, 0], axes.toward));
    const middle = middles.reduce((sum, near) => sum + near, 0) / middles.length;
    const distance = nearestCamera(reach, lens) - middle;
    if (distance < best.distance) best = { distance, corners };
  }
  return list.map((section, i) => {
    const { column, x, y } = best.corners[i]!;
    return { ...section, column, x, y, pieces: moved(section.pieces, x, y) };
  });
}

interface Shape {
  /** How far left of the stream it reaches, as seen from the home direction. */
  readonly side: number;
  readonly reach: Reach;
}

/** The shape of every section; all blocks are alike, so only the first is measured. */
function shapesOf(list: readonly Section[], lens: Lens, axes: CameraAxes): readonly Shape[] {
  const known = new Map<Section["kind"], Shape>();
  return list.map(({ kind, pieces }) => {
    const shape = known.get(kind) ?? {
      side: leftReach(pieces),
      reach: reachOf(pieces.flatMap(plateCorners), lens, axes),
    };
    known.set(kind, shape);
    return shape;
  });
}
