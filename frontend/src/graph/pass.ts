/** One forward pass, operation by operation in the order of computing: in which parts each is gone through, and what a
 *  part reads and makes. Follows from the graph alone; knows neither time, plates nor colours.
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

/** One operation of a pass. */
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
}

/** The beginning of a block, of the embedding or of the output. */
export interface Mark {
  readonly step: number;
  readonly name: string;
}

export interface Pass {
  readonly steps: readonly Step[];
  readonly marks: readonly Mark[];
}

/** The part of a step that is made: none is yet, or all are. */
export type Part = number | "none" | "all";

/** The operation at a moment: what it reads and makes while a part is made. */
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

/** Heads are gone through position by position only while there are no more parts than these. */
const MOST_PARTS = 96;

// ---- the steps ---------------------------------------------------------------------------------------------

/** The steps of a pass over so many positions. What only exists when it is asked for is no step of it: the model does
 *  not compute it. */
export function passOf(graph: Graph, positions: Positions): Pass {
  const steps: Step[] = [];
  for (const [opNumber, op] of graph.ops.entries()) {
    const output = getTensor(graph, op.output);
    if (output.derived && output.role === "activation") continue;
    const shape = shapeAt(output, positions);
    const swept = sweptAxes(output, shape);
    const parts = swept.reduce((product, { size }) => product * size, 1);
    steps.push({ number: steps.length, opNumber, op, output, shape, swept, parts });
  }
  return { steps, marks: marksOf(steps) };
}

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
export function markOf({ marks }: Pick<Pass, "marks">, step: number): Mark | undefined {
  return marks.filter((mark) => mark.step <= step).at(-1);
}

/** The steps under a mark: from the first to the one before the next mark. */
export function stepsUnder({ marks, steps }: Pass, mark: Mark): readonly [first: number, end: number] {
  const next = marks[marks.indexOf(mark) + 1];
  return [mark.step, next?.step ?? steps.length];
}

// ---- the moment --------------------------------------------------------------------------------------------

/** Finds the cells that are read and made as a part of a step is; null where there is nothing to make. */
export function momentOf(graph: Graph, step: Step, part: Part, reading: Reading): Moment | null {
  if (step.shape.includes(0)) return null;
  const all: Ranges = new Map(
    step.output.axes.map((axis, i): [string, Range] => [axis, [0, step.shape[i]!]]),
  );
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
