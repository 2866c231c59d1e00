/** Which cells a cell reads, and which it feeds: both answered from the graph's index expressions alone.
 *
 *  Cells are answered as boxes (one half-open range per axis), since a contracted axis is read whole.
 */

import { getTensor, opMaking, shapeAt } from "./shape";
import type { Graph, IndexExpression, Op, Read, TensorInfo } from "./types";

/** Cells `start[i] <= index[i] < stop[i]` of a tensor, in the tensor's own axis order. */
export interface CellBox {
  readonly tensor: string;
  readonly start: readonly number[];
  readonly stop: readonly number[];
  /** What the cells are to the operation: `input`, `bias`, `scale`, … */
  readonly part: string;
}

/** What the graph alone does not know. */
export interface Reading {
  /** Tokens read so far. */
  readonly positions: number;
  /** The number at an index of a tensor that others look up (`tokens` at a position), or undefined. */
  readonly lookup: (tensor: string, index: readonly number[]) => number | undefined;
}

type Range = readonly [start: number, stop: number];

/** The cells that one cell is computed from. Empty for weights and for what a mask hides. */
export function cellsRead(
  graph: Graph,
  tensor: string,
  index: readonly number[],
  reading: Reading,
): readonly CellBox[] {
  const op = opMaking(graph, tensor);
  if (!op) return [];
  const output = getTensor(graph, tensor);
  const at = new Map<string, Range>(output.axes.map((axis, i) => [axis, [index[i]!, index[i]! + 1]]));
  return op.reads.flatMap((read) => boxOf(graph, read, at, reading));
}

/** The cells that one cell goes into, one operation further on. */
export function cellsFed(
  graph: Graph,
  tensor: string,
  index: readonly number[],
  reading: Reading,
): readonly CellBox[] {
  return graph.ops.flatMap((op) =>
    op.reads
      .filter((read) => read.tensor === tensor)
      .flatMap((read) => outputsOf(graph, op, read, index, reading)),
  );
}

function boxOf(graph: Graph, read: Read, at: Map<string, Range>, reading: Reading): readonly CellBox[] {
  const source = getTensor(graph, read.tensor);
  const shape = shapeAt(source, reading.positions);
  const ranges = new Map(at);
  read.index.forEach((expression, i) => {
    if ("free" in expression) ranges.set(expression.free, [0, shape[i]!]);
  });
  if (!restrict(ranges, read.where)) return [];
  const box: Range[] = [];
  for (const [i, expression] of read.index.entries()) {
    const range = rangeOf(expression, ranges, reading);
    if (!range || range[0] >= range[1] || range[1] > shape[i]!) return [];
    box.push(range);
  }
  return [boxFrom(read.tensor, box, read.part)];
}

function rangeOf(
  expression: IndexExpression,
  ranges: ReadonlyMap<string, Range>,
  reading: Reading,
): Range | undefined {
  if ("axis" in expression) return ranges.get(expression.axis);
  if ("free" in expression) return ranges.get(expression.free);
  if (!("lookup" in expression)) throw new Error(`cannot read ${JSON.stringify(expression)}`);
  const index = expression.index.map(({ axis }) => ranges.get(axis)![0]);
  const found = reading.lookup(expression.lookup, index);
  return found === undefined ? undefined : [found, found + 1];
}

/** Narrow the ranges to where a condition such as `key_pos <= query_pos` holds; false if it holds nowhere.
 *  The left axis may be a whole range, the right one is taken at its last index. */
function restrict(ranges: Map<string, Range>, where: string | null): boolean {
  if (where === null) return true;
  const [left, relation, right] = where.split(" ");
  const from = ranges.get(left ?? "");
  const to = ranges.get(right ?? "");
  if (relation !== "<=" || !from || !to) throw new Error(`cannot read the condition "${where}"`);
  const stop = Math.min(from[1], to[1]);
  ranges.set(left!, [from[0], stop]);
  return from[0] < stop;
}

/** The cells of an operation's output that read this cell: its index expressions, solved for the output axes. */
function outputsOf(
  graph: Graph,
  op: Op,
  read: Read,
  index: readonly number[],
  reading: Reading,
): readonly CellBox[] {
  const output = getTensor(graph, op.output);
  const shape = shapeAt(output, reading.positions);
  const ranges = new Map<string, Range>(output.axes.map((axis, i) => [axis, [0, shape[i]!]]));
  const lookups: { readonly axis: string; readonly name: string; readonly wanted: number }[] = [];
  read.index.forEach((expression, i) => {
    if ("axis" in expression) ranges.set(expression.axis, [index[i]!, index[i]! + 1]);
    if ("lookup" in expression)
      lookups.push({ axis: expression.index[0]!.axis, name: expression.lookup, wanted: index[i]! });
  });
  const boxes = lookups.reduce<readonly Map<string, Range>[]>(
    (found, { axis, name, wanted }) => found.flatMap((at) => whereFound(at, axis, name, wanted, reading)),
    [ranges],
  );
  return boxes.filter((at) => allowed(at, read)).map((at) => boxFromAxes(output, at, read.part, shape));
}

function whereFound(
  at: Map<string, Range>,
  axis: string,
  name: string,
  wanted: number,
  reading: Reading,
): readonly Map<string, Range>[] {
  const [start, stop] = at.get(axis)!;
  const found: Map<string, Range>[] = [];
  for (let i = start; i < stop; i++)
    if (reading.lookup(name, [i]) === wanted) found.push(new Map(at).set(axis, [i, i + 1]));
  return found;
}

/** Whether a read's condition leaves anything of the ranges. */
function allowed(at: Map<string, Range>, read: Read): boolean {
  return restrict(new Map(at), read.where);
}

function boxFromAxes(
  tensor: TensorInfo,
  at: ReadonlyMap<string, Range>,
  part: string,
  shape: readonly number[],
): CellBox {
  return boxFrom(
    tensor.name,
    tensor.axes.map((axis, i) => at.get(axis) ?? [0, shape[i]!]),
    part,
  );
}

function boxFrom(tensor: string, box: readonly Range[], part: string): CellBox {
  return { tensor, start: box.map(([start]) => start), stop: box.map(([, stop]) => stop), part };
}
