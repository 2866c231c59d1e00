/** The ways a band can take between two plates, as points along its middle line (y down). */

import { streamWidth } from "./columns";
import type { Measures } from "./measures";
import type { Bay, Sheet } from "./sheet";
import type { Point } from "./view";

export type Path = readonly Point[];

const middleX = ({ x, columns }: Sheet): number => x + columns / 2;
const middleY = ({ y, rows }: Sheet): number => y + rows / 2;
/** Bands run inside the plates' thickness, so that they end in a plate and not before it. */
const depthOf = ({ z }: Sheet): number => z - 0.5;

/** Straight across or down, between facing edges; null where the plates do not face each other. */
export function straight(from: Sheet, to: Sheet): Path | null {
  const [left, right] = [Math.max(from.x, to.x), Math.min(from.x + from.columns, to.x + to.columns)];
  const [top, bottom] = [Math.max(from.y, to.y), Math.min(from.y + from.rows, to.y + to.rows)];
  if (top < bottom) {
    const y = (top + bottom) / 2;
    return [
      [sideToward(from, to), y, depthOf(from)],
      [sideToward(to, from), y, depthOf(to)],
    ];
  }
  if (left < right) {
    const x = (left + right) / 2;
    return [
      [x, edgeToward(from, to), depthOf(from)],
      [x, edgeToward(to, from), depthOf(to)],
    ];
  }
  return null;
}

/** The x of the side of `a` that faces `b`, and the y of its edge that does. */
const sideToward = (a: Sheet, b: Sheet): number => (middleX(b) > middleX(a) ? a.x + a.columns : a.x);
const edgeToward = (a: Sheet, b: Sheet): number => (middleY(b) > middleY(a) ? a.y + a.rows : a.y);

/** Round one corner. Positions that run right are crossed going down, positions that run down going across. Of
 *  several bands along one line each draws only its own part: from where the one before it, to `previous`, turned
 *  off, or up to where the one after it, from `next`, joins. */
export function elbow(from: Sheet, to: Sheet, previous: Sheet | undefined, next: Sheet | undefined): Path {
  if (from.positionsRight && !to.positionsRight) {
    const x = middleX(from);
    const shared = previous && previous !== to;
    return [
      [x, shared ? middleY(previous) : edgeToward(from, to), depthOf(from)],
      [x, middleY(to), depthOf(to)],
      [sideToward(to, from), middleY(to), depthOf(to)],
    ];
  }
  const x = middleX(to);
  const joined = next && next !== from && straight(next, to) === null;
  return [
    [sideToward(from, to), middleY(from), depthOf(from)],
    [x, middleY(from), depthOf(from)],
    [x, joined ? middleY(next) : edgeToward(to, from), depthOf(to)],
  ];
}

/** Level into the stream's band, which runs on past this height to what both are added up in. */
export function intoStream(from: Sheet, to: Sheet, { positions }: Measures, width: number): Path {
  const y = middleY(from);
  return [
    [from.x + from.columns, y, depthOf(from)],
    [to.section.x + positions / 2 - width / 2, y, depthOf(to)],
  ];
}

/** Between plates whose positions run down, past what stands between them: out to the left, and back. */
export function roundTheSide(from: Sheet, to: Sheet, { gap }: Measures): Path {
  const x = from.x - gap;
  return [
    [from.x, middleY(from), depthOf(from)],
    [x, middleY(from), depthOf(from)],
    [x, middleY(to), depthOf(to)],
    [to.x, middleY(to), depthOf(to)],
  ];
}

/** The height of the lanes above all columns: the stream's, then those between the stacks. */
const laneAbove = ({ gap }: Measures, width: number, lane: number): number => -(gap + width) * lane;

/** Where the stream goes up again, right of the column of a plate. */
const asideOf = ({ section }: Sheet, { positions, gap }: Measures, width: number): number =>
  section.x + positions + gap + width / 2;

/** Down the stream; to what reads from it, off to the side, or, where that stands beside what the stream goes on to,
 *  from above; to the next column, round by the top. A plate that `before` was the last to leave shares its way. */
export function throughStream(
  from: Sheet,
  to: Sheet,
  measures: Measures,
  flowsOn: boolean,
  before: Sheet | undefined,
): Path {
  const width = streamWidth(measures);
  const middle = to.section.x + measures.positions / 2;
  const z = depthOf(to);
  const sideways: Point = [to.x + to.columns, middleY(to), z];
  if (!to.spine && flowsOn) return [[middle - width / 2, middleY(to), z], sideways];
  const turned = before?.section.column === to.section.column ? before : undefined;
  if (!to.spine && turned) return [[middle, middleY(turned), z], [middle, middleY(to), z], sideways];
  const leave: Point = [middleX(from), from.y + from.rows, depthOf(from)];
  const isBeside = from.section.column === to.section.column;
  const x = to.fromAbove ? middleX(to) : middle;
  const level = to.y - measures.summaryHeight - measures.gap / 2;
  const down: Path = to.spine || to.fromAbove ? [[x, to.y, z]] : [[x, middleY(to), z], sideways];
  if (isBeside)
    return to.fromAbove ? [leave, [leave[0], level, z], [x, level, z], ...down] : [leave, ...down];
  const aside = asideOf(from, measures, width);
  const below = leave[1] + measures.gap + width / 2;
  const above = laneAbove(measures, width, 1);
  return [leave, [leave[0], below, z], [aside, below, z], [aside, above, z], [x, above, z], ...down];
}

/** From the first strip of a table over all columns to what is looked up in it for the other stack. */
export function overTheTop(from: Sheet, to: Sheet, measures: Measures, width: number): Path {
  const above = laneAbove(measures, width, 3);
  return [
    [middleX(from), from.y, depthOf(from)],
    [middleX(from), above, depthOf(from)],
    [middleX(to), above, depthOf(to)],
    [middleX(to), to.y, depthOf(to)],
  ];
}

/** How far the band from one stack has come along the columns of the other. */
export interface Bus {
  readonly aside: number;
  readonly y: number;
}

/** From what the encoder gives into one head of the decoder: over the top, down along the left of the column, and
 *  from below into keys and values. `trunk` is the part that no head before it has drawn. */
export function memoryIn(
  from: Sheet,
  to: Sheet,
  bay: Bay,
  entered: boolean,
  bus: Bus | undefined,
  { gap, narrow }: Measures,
  source: Measures,
): { readonly trunk: Path; readonly branch: Path; readonly bus: Bus } {
  const width = streamWidth(source);
  const { aside } = to.section;
  const [x, y, z] = [to.x + to.columns + narrow, bay.bottom + narrow, depthOf(to)];
  const end: Path = [
    [x, middleY(to), z],
    [to.x + to.columns, middleY(to), z],
  ];
  if (entered && bus) return { trunk: [], branch: end, bus };
  const branch: Path = [...eased([aside, y, depthOf(from)], [bay.x - gap, y, z]), [x, y, z], ...end];
  if (bus?.aside === aside && y <= bus.y) return { trunk: [], branch, bus };
  const above = laneAbove(source, width, 2);
  const below = from.y + from.rows + gap + width / 2;
  const up = asideOf(from, source, width);
  const start: Path = bus
    ? [[bus.aside, above, depthOf(from)]]
    : [
        [middleX(from), from.y + from.rows, depthOf(from)],
        [middleX(from), below, depthOf(from)],
        [up, below, depthOf(from)],
        [up, above, depthOf(from)],
      ];
  const way: Path =
    bus?.aside === aside ? [[aside, bus.y, depthOf(from)]] : [...start, [aside, above, depthOf(from)]];
  return { trunk: [...way, [aside, y, depthOf(from)]], branch, bus: { aside, y } };
}

/** The share of the norm's height that bands into the heads take, from above; bands out of them have the rest. */
const INWARD = 0.7;

/** From what all heads read into one head: level, at this share of the height from below, over the heads' square;
 *  in the channel before the heads up or down, and back in depth; over the head's scores, and down beside queries. */
export function headsIn(from: Sheet, to: Sheet, share: number, measures: Measures): Path {
  const { joinX, headsX, gap, narrow, modelWidth, positions } = measures;
  const { x: streamX } = to.section;
  const bay = to.bay!;
  const level = bay.lanesTop + modelWidth * INWARD * (1 - share);
  const beside = to.x + to.columns + narrow;
  const above = bay.top - narrow * (1 + bay.across / (bay.across + 1));
  const start = from.spine ? streamX + positions / 2 - streamWidth(measures) / 2 : from.x;
  return [
    [start, level, depthOf(from)],
    ...eased([streamX + joinX - gap / 2, level, depthOf(from)], [streamX + headsX, above, depthOf(to)]),
    [beside, above, depthOf(to)],
    [beside, middleY(to), depthOf(to)],
    [to.x + to.columns, middleY(to), depthOf(to)],
  ];
}

/** On from the first plate of a head that a band went to, down beside it, to the next: keys, then values. */
export function branchIn(trunk: Sheet, to: Sheet, { narrow }: Measures): Path {
  const beside = trunk.x + trunk.columns + narrow;
  return [
    [beside, middleY(trunk), depthOf(to)],
    [beside, middleY(to), depthOf(to)],
    [to.x + to.columns, middleY(to), depthOf(to)],
  ];
}

/** From one head to its part of the square that joins them: forward in depth, along a lane of its own over the
 *  square (the head furthest right on the uppermost, so that none cross), and down. A head that others stand right of
 *  sends its band under them. */
export function headsOut(from: Sheet, to: Sheet, share: number, measures: Measures): Path {
  const { joinX, headsX, modelWidth, gap, narrow } = measures;
  const bay = from.bay!;
  const lane = to.y - (gap + modelWidth * (1 - INWARD)) * share;
  const start: Point = [from.x + from.columns, middleY(from), depthOf(from)];
  const under = bay.bottom + narrow * (1 + bay.across / (bay.across + 1));
  const past: Path =
    bay.across > 0
      ? [start, [start[0] + narrow, start[1], start[2]], [start[0] + narrow, under, start[2]]]
      : [];
  const last: Point = bay.across > 0 ? [to.section.x + headsX, under, depthOf(from)] : start;
  return [
    ...past,
    ...eased(last, [to.section.x + joinX - gap / 2, lane, depthOf(to)]),
    [middleX(to), lane, depthOf(to)],
    [middleX(to), to.y, depthOf(to)],
  ];
}

const CURVE_STEPS = 10;

/** From point to point, leaving and arriving level. */
function eased(from: Point, to: Point): Path {
  return Array.from({ length: CURVE_STEPS + 1 }, (_, i) => {
    const t = i / CURVE_STEPS;
    const s = t * t * (3 - 2 * t);
    return [
      from[0] + (to[0] - from[0]) * t,
      from[1] + (to[1] - from[1]) * s,
      from[2] + (to[2] - from[2]) * s,
    ];
  });
}

const CORNER_STEPS = 5;

/** The path with its corners rounded by about a band's width. */
export function rounded(path: Path, radius: number): Path {
  return path.flatMap((corner, i) => {
    const [before, after] = [path[i - 1], path[i + 1]];
    if (!before || !after || isStraight(before, corner, after)) return [corner];
    const enter = along(corner, before, radius);
    const leave = along(corner, after, radius);
    return Array.from({ length: CORNER_STEPS }, (_, step): Point => {
      const t = step / (CORNER_STEPS - 1);
      const blend = (k: 0 | 1 | 2): number =>
        (1 - t) ** 2 * enter[k] + 2 * t * (1 - t) * corner[k] + t ** 2 * leave[k];
      return [blend(0), blend(1), blend(2)];
    });
  });
}

function along(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  const t = length === 0 ? 0 : Math.min(0.5, distance / length);
  return [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t, from[2] + (to[2] - from[2]) * t];
}

/** Whether a path hardly turns here, as between the points of a curve. */
function isStraight(a: Point, b: Point, c: Point): boolean {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [vx, vy, vz] = [c[0] - b[0], c[1] - b[1], c[2] - b[2]];
  const lengths = Math.hypot(ux, uy, uz) * Math.hypot(vx, vy, vz);
  return lengths === 0 || ux * vx + uy * vy + uz * vz > 0.8 * lengths;
}
