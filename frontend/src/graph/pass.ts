/** One forward pass as a line of time: every operation in the order of computing has its share of it, and what is
 *  read and made at a moment follows from the graph and the moment alone. So a clock can run, stop, and be dragged
 *  either way. Knows neither plates nor colours.
 */

import { type CellBox, cellsReadBy, type Ranges, type Reading } from "./cells";
import { getTensor, isTokenAxis, type Positions, shapeAt } from "./shape";
import type { Graph, Op, TensorInfo } from "./types";
import type { Range } from "./where";

/** An axis that an operation goes through index by index. */
export interface SweptAxis {
  readonly axis: string;
  readonly size: number;
}

/** One operation, and its stretch of the clock. */
export interface Step {
  /** Its place among the steps, and among all operations of the graph. */
  readonly number: number;
  readonly opNumber: number;
  readonly op: Op;
  readonly output: TensorInfo;
  /** Shape of the output, with the positions read so far. */
  readonly shape: readonly number[];
  /** The outer axis first; none where the operation is done in one. */
  readonly swept: readonly SweptAxis[];
  /** Parts that are made one after another. */
  readonly parts: number;
  /** Seconds at the usual pace. */
  readonly start: number;
  readonly stop: number;
}

/** The beginning of a block, of the embedding or of the output. */
export interface Mark {
  readonly step: number;
  readonly name: string;
}

export interface Pass {
  readonly steps: readonly Step[];
  readonly marks: readonly Mark[];
  readonly seconds: number;
}

/** A place on the line: a step, and how far it is, from 0 to 1. */
export interface PassPlace {
  readonly step: number;
  readonly progress: number;
}

/** The operation at a place of the pass. */
export interface Moment {
  readonly step: Step;
  /** True before the first part and after the last: the operation is shown as a whole. */
  readonly whole: boolean;
  readonly reads: readonly CellBox[];
  /** Cells being made; all of the output at the end, none at the beginning. */
  readonly makes: readonly CellBox[];
  /** Cells of the output that are still to be made. */
  readonly unmade: readonly CellBox[];
}

/** Seconds until the first part is made, and after the last; seconds a part, and their bounds. */
const ARRIVING = 0.35;
const RESTING = 0.3;
const A_PART = 0.025;
const SWEEPING: readonly [least: number, most: number] = [0.35, 1.8];
/** Heads are gone through position by position only while there are no more parts than these. */
const MOST_PARTS = 96;

// ---- the line ----------------------------------------------------------------------------------------------

/** The steps of a pass over so many positions. What only exists when it is asked for is no step of it: the model does
 *  not compute it. */
export function passOf(graph: Graph, positions: Positions): Pass {
  const steps: Step[] = [];
  let start = 0;
  for (const [opNumber, op] of graph.ops.entries()) {
    const output = getTensor(graph, op.output);
    if (output.derived && output.role === "activation") continue;
    const shape = shapeAt(output, positions);
    const swept = sweptAxes(output, shape);
    const parts = swept.reduce((product, { size }) => product * size, 1);
    const stop = start + ARRIVING + RESTING + clamp(parts * A_PART, ...SWEEPING);
    steps.push({ number: steps.length, opNumber, op, output, shape, swept, parts, start, stop });
    start = stop;
  }
  return { steps, marks: marksOf(steps), seconds: start };
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Head by head, and position by position within each. */
function sweptAxes({ axes }: TensorInfo, shape: readonly number[]): readonly SweptAxis[] {
  const sized = (axis: string | undefined): readonly SweptAxis[] => {
    const size = axis === undefined ? 0 : shape[axes.indexOf(axis)]!;
    return axis !== undefined && size > 1 ? [{ axis, size }] : [];
  };
  const heads = sized(axes.find((axis) => axis === "head" || axis === "kv_head"));
  const positions = sized(axes.find(isTokenAxis));
  const both = [...heads, ...positions];
  const parts = both.reduce((product, { size }) => product * size, 1);
  return heads.length > 0 && parts > MOST_PARTS ? heads : both;
}

function marksOf(steps: readonly Step[]): readonly Mark[] {
  const lastOfBlocks = new Map<Op["stack"], number>();
  for (const { op, number } of steps) if (op.layer !== null) lastOfBlocks.set(op.stack, number);
  const ofTwo = lastOfBlocks.size > 1;
  const marks: Mark[] = [];
  let stack: Op["stack"] = null;
  for (const { op, number } of steps) {
    // What belongs to no stack is the end of the last one.
    stack = op.stack ?? stack;
    const own = ofTwo && stack ? `${stack} ` : "";
    const edge = number < (lastOfBlocks.get(stack) ?? 0) ? "embedding" : "output";
    const name = capital(`${own}${op.layer === null ? edge : `block ${op.layer}`}`);
    if (marks.at(-1)?.name !== name) marks.push({ step: number, name });
  }
  return marks;
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** The mark that a step stands under. */
export function markOf({ marks }: Pass, step: number): Mark | undefined {
  return marks.filter((mark) => mark.step <= step).at(-1);
}

/** The steps under a mark: from the first to the one before the next mark. */
export function stepsUnder({ marks, steps }: Pass, mark: Mark): readonly [first: number, end: number] {
  const next = marks[marks.indexOf(mark) + 1];
  return [mark.step, next?.step ?? steps.length];
}

/** Gives the factor by which the clock runs faster than step by step, where every mark is to take so many seconds
 *  however many operations are under it. */
export function blockPace(pass: Pass, step: number, seconds: number): number {
  const mark = markOf(pass, step);
  if (!mark) return 1;
  const [first, end] = stepsUnder(pass, mark);
  return (pass.steps[end - 1]!.stop - pass.steps[first]!.start) / seconds;
}

export function timeOf({ steps }: Pass, { step, progress }: PassPlace): number {
  const at = steps[step];
  return at ? at.start + (at.stop - at.start) * progress : 0;
}

/** The place at a time; times outside are the two ends. */
export function placeAt({ steps, seconds }: Pass, time: number): PassPlace {
  if (steps.length === 0 || time <= 0) return { step: 0, progress: 0 };
  if (time >= seconds) return { step: steps.length - 1, progress: 1 };
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle]!.start <= time) low = middle;
    else high = middle - 1;
  }
  const { start, stop } = steps[low]!;
  return { step: low, progress: (time - start) / (stop - start) };
}

// ---- the moment --------------------------------------------------------------------------------------------

/** Finds the cells that are read and made at a place of the pass. */
export function momentAt(graph: Graph, pass: Pass, place: PassPlace, reading: Reading): Moment | null {
  const step = pass.steps[place.step];
  if (!step || step.shape.includes(0)) return null;
  const all: Ranges = new Map(
    step.output.axes.map((axis, i): [string, Range] => [axis, [0, step.shape[i]!]]),
  );
  const part = partAt(step, place.progress);
  if (part === "none" || part === "all") {
    const whole = [boxOf(step, all)];
    const reads = cellsReadBy(graph, withoutConditions(step.op), all, reading);
    const [makes, unmade] = part === "all" ? [whole, []] : [[], whole];
    return { step, whole: true, reads, makes, unmade };
  }
  const now = rangesOf(step, all, part);
  // Where positions are not gone through one by one, a condition would part the box into one for every position.
  const op = step.swept.some(({ axis }) => isTokenAxis(axis)) ? step.op : withoutConditions(step.op);
  return {
    step,
    whole: false,
    reads: cellsReadBy(graph, op, now, reading),
    makes: [boxOf(step, now)],
    unmade: laterThan(step, all, part).map((ranges) => boxOf(step, ranges)),
  };
}

/** Finds the part that is being made. */
function partAt({ start, stop, parts }: Step, progress: number): number | "none" | "all" {
  const seconds = progress * (stop - start);
  if (seconds < ARRIVING) return "none";
  const share = (seconds - ARRIVING) / (stop - start - ARRIVING - RESTING);
  return share >= 1 - 1e-9 ? "all" : Math.min(parts - 1, Math.floor(share * parts));
}

const withoutConditions = (op: Op): Op =>
  op.reads.some(({ where }) => where !== null)
    ? { ...op, reads: op.reads.map((read) => ({ ...read, where: null })) }
    : op;

/** A part's index along each of the swept axes. */
function indicesOf({ swept }: Step, part: number): readonly number[] {
  const inner = swept[1]?.size ?? 1;
  return swept.length > 1 ? [Math.floor(part / inner), part % inner] : [part];
}

function rangesOf(step: Step, all: Ranges, part: number): Ranges {
  const ranges = new Map(all);
  for (const [i, { axis }] of step.swept.entries()) {
    const index = indicesOf(step, part)[i]!;
    ranges.set(axis, [index, index + 1]);
  }
  return ranges;
}

/** Finds the cells that are made after a part: the rest of its row, and the rows that follow. */
function laterThan(step: Step, all: Ranges, part: number): readonly Ranges[] {
  const now = rangesOf(step, all, part);
  return step.swept.flatMap(({ axis, size }, i) => {
    const next = indicesOf(step, part)[i]! + 1;
    if (next >= size) return [];
    // Of an outer axis the rows that follow are whole along the inner ones.
    const ranges = i === 0 ? new Map(all) : new Map(now);
    return [ranges.set(axis, [next, size])];
  });
}

function boxOf({ op, output }: Step, ranges: Ranges): CellBox {
  const along = output.axes.map((axis) => ranges.get(axis)!);
  return {
    tensor: op.output,
    start: along.map(([start]) => start),
    stop: along.map(([, stop]) => stop),
    part: "output",
  };
}
