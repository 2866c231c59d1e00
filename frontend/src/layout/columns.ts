/** Wrapping: sections stand in columns, as many as bring the camera nearest while it still sees everything. */

import type { Measures } from "./measures";
import type { Origin, Sheet } from "./sheet";
import type { Section, StackName } from "./structure";
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

/** Perspective looks along columns on the right more from the side, by up to half the window's angle: so much of that
 *  is allowed for when a column keeps clear of the one on its left. */
const STEEPER = 0.7;

/** Half the angle, in radians, that the window is wide. */
function halfAngle({ fov, aspect }: Lens): number {
  return Math.atan(Math.tan((fov * Math.PI) / 360) * aspect);
}

/** The shape of a section, drawn at the map's origin. */
interface Shape {
  readonly height: number;
  /** How far left of the stream it reaches, as seen from the home direction. */
  readonly side: number;
  readonly reach: Reach;
}

/** For every count of columns, heights split into that many runs of neighbours, as even as can be (least sum of
 *  squares): the first of each run. */
function evenRuns(heights: readonly number[]): readonly (readonly number[])[] {
  const n = heights.length;
  const total = [0];
  for (const height of heights) total.push(total.at(-1)! + height);
  let cost = total.map((_, end) => (end === 0 ? 0 : Infinity));
  const lastStarts: number[][] = [];
  for (let run = 0; run < n; run++) {
    const next = new Array<number>(n + 1).fill(Infinity);
    const from = new Array<number>(n + 1).fill(0);
    for (let end = run + 1; end <= n; end++)
      for (let start = run; start < end; start++) {
        const here = cost[start]! + (total[end]! - total[start]!) ** 2;
        if (here < next[end]!) [next[end], from[end]] = [here, start];
      }
    cost = next;
    lastStarts.push(from);
  }
  return lastStarts.map((_, last) => {
    const firsts: number[] = [];
    for (let run = last, end = n; run >= 0; run--) {
      end = lastStarts[run]![end]!;
      firsts.unshift(end);
    }
    return firsts;
  });
}

/** Where every section goes when a new column starts at each of `firsts`. */
function originsOf(
  sections: readonly Section[],
  shapes: readonly Shape[],
  firsts: readonly number[],
  measuresOf: MeasuresOf,
): readonly Origin[] {
  const origins: Origin[] = [];
  let x = 0;
  firsts.forEach((first, column) => {
    const { stack } = sections[first]!;
    const inColumn = shapes.slice(first, firsts[column + 1] ?? shapes.length);
    const side = Math.ceil(Math.max(...inColumn.map(({ side }) => side)));
    const { gap } = measuresOf(stack);
    const broad = Math.ceil(streamWidth(measuresOf(stack === "decoder" ? "encoder" : stack)));
    // What comes from the encoder runs down along the left of every column of the decoder.
    const lane = stack === "decoder" ? broad + 2 * gap : 0;
    if (column > 0) {
      // Between two columns: the stream on its way up, with a gap on both sides.
      const before = measuresOf(sections[first - 1]!.stack);
      x += before.positions + 3 * before.gap + Math.ceil(streamWidth(before)) + lane + side;
    }
    const aside = x - side - gap - broad / 2;
    let y = 0;
    for (const { height } of inColumn) {
      origins.push({ stack, column, x, y, aside });
      y += height + 2 * gap;
    }
  });
  return origins;
}

/** How wide the band of the residual stream is drawn. */
export function streamWidth({ positions, modelWidth }: Measures): number {
  return Math.max(1, Math.min(positions * 0.6, modelWidth / 5));
}

export type MeasuresOf = (stack: StackName) => Measures;

/** More columns than these in both stacks of an encoder-decoder are not tried. */
const MOST_COLUMNS_OF_TWO = 16;

/** The ways to split sections into columns, each column of one stack: the first section of each column. */
function splits(
  sections: readonly Section[],
  shapes: readonly Shape[],
  measuresOf: MeasuresOf,
): readonly (readonly number[])[] {
  const stacks = [...new Set(sections.map(({ stack }) => stack))];
  const ways = stacks.map((stack) => {
    const first = sections.findIndex((section) => section.stack === stack);
    const own = shapes.filter((_, i) => sections[i]!.stack === stack);
    const runs = evenRuns(own.map(({ height }) => height + 2 * measuresOf(stack).gap));
    return runs.map((firsts) => firsts.map((i) => first + i));
  });
  const [one = [], two] = ways;
  if (!two) return one;
  const few = two.slice(0, MOST_COLUMNS_OF_TWO);
  return one.slice(0, MOST_COLUMNS_OF_TWO).flatMap((firsts) => few.map((others) => [...firsts, ...others]));
}

/** The origins of sections, in the columns that suit the window. `draw` draws a section on a paper of its own. */
export function inColumns(
  sections: readonly Section[],
  draw: (section: Section) => { readonly sheets: readonly Sheet[]; readonly height: number },
  measuresOf: MeasuresOf,
  lens: Lens,
): readonly Origin[] {
  const axes = cameraAxes(HOME_AZIMUTH, HOME_ELEVATION);
  const known = new Map<string, Shape>();
  const shapes = sections.map((section) => {
    // All blocks of a stack are alike: the first stands for them.
    const alike = `${section.stack} ${section.kind}`;
    const shape = known.get(alike) ?? shapeOf(draw(section), lens, axes);
    known.set(alike, shape);
    return shape;
  });
  let best: { readonly distance: number; readonly origins: readonly Origin[] } | undefined;
  for (const firsts of splits(sections, shapes, measuresOf)) {
    const origins = originsOf(sections, shapes, firsts, measuresOf);
    const distance = distanceTo(shapes, origins, lens, axes);
    if (!best || distance < best.distance) best = { distance, origins };
  }
  return best?.origins ?? [];
}

function shapeOf(
  { sheets, height }: { readonly sheets: readonly Sheet[]; readonly height: number },
  lens: Lens,
  axes: CameraAxes,
): Shape {
  const left = Math.tan(-HOME_AZIMUTH + STEEPER * halfAngle(lens));
  const side = sheets.reduce((most, { x, z }) => Math.max(most, -(x + z * left)), 0);
  return { height, side, reach: reachOf(sheets.flatMap(plateCorners), lens, axes) };
}

/** How far the camera has to be from the middle of the map to see all of it. */
function distanceTo(
  shapes: readonly Shape[],
  origins: readonly Origin[],
  lens: Lens,
  axes: CameraAxes,
): number {
  const reaches = origins.map(({ x, y }, i) => movedReach(shapes[i]!.reach, [x, y, 0], lens, axes));
  const nears = origins.map(({ x, y }, i) => dot([x, y + shapes[i]!.height / 2, 0], axes.toward));
  const middle = nears.reduce((sum, near) => sum + near, 0) / nears.length;
  return nearestCamera(unitedReach(reaches), lens) - middle;
}
