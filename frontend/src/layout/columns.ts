/** Wrapping: sections stand in columns, as many as bring the camera nearest while it still sees everything. */

import { DEPTH_LEFT } from "./attention";
import type { Measures } from "./measures";
import type { Section } from "./sections";
import { moved, type Piece } from "./sheet";
import { type Lens, plateCorners, viewOfPoints } from "./view";

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
  reaches: readonly number[],
  firsts: readonly number[],
  measures: Measures,
): readonly Corner[] {
  const { gap, positions } = measures;
  const placed: Corner[] = [];
  let x = 0;
  firsts.forEach((first, column) => {
    const end = firsts[column + 1] ?? list.length;
    // Between two columns: the stream on its way up, with a gap on both sides.
    if (column > 0) x += positions + 3 * gap + streamWidth(measures) + Math.max(...reaches.slice(first, end));
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
  const byShape = new Map<string, { reach: number; outline: readonly (readonly [number, number, number])[] }>();
  const shapes = list.map((section) => {
    const known = byShape.get(section.kind);
    if (known) return known;
    const shape = { reach: leftReach(section.pieces), outline: section.pieces.flatMap(plateCorners) };
    byShape.set(section.kind, shape);
    return shape;
  });
  const reaches = shapes.map(({ reach }) => reach);
  const heights = list.map(({ height }) => height + 2 * measures.gap);
  let best: { distance: number; at: readonly Corner[] } = { distance: Infinity, at: [] };
  for (let count = 1; count <= list.length; count++) {
    const at = cornersOf(list, reaches, evenRuns(heights, count), measures);
    const points = at.flatMap(({ x, y }, i) =>
      shapes[i]!.outline.map(([px, py, pz]) => [px + x, py + y, pz] as const),
    );
    const { distance } = viewOfPoints(points, lens);
    if (distance < best.distance) best = { distance, at };
  }
  return list.map((section, i) => {
    const { column, x, y } = best.at[i]!;
    return { ...section, column, x, y, pieces: moved(section.pieces, x, y) };
  });
}
