/** Finds the cells that a cell reads, and those that it feeds: both from the graph's index expressions alone, whatever
 *  the operation. Cells are answered as boxes (one half-open range per axis), since a contracted axis is read whole.
 */

import { bucketOf } from "./bucket";
import { getTensor, opMaking, type Positions, shapeAt, storedAs } from "./shape";
import type { Graph, IndexExpression, LookupIndex, Op, PairIndex, Read, TensorInfo } from "./types";
import { type Comparison, comparisons, holds, type Range, restrict } from "./where";

/** Cells `start[i] <= index[i] < stop[i]` of a tensor, in the tensor's own axis order. */
export interface CellBox {
  readonly tensor: string;
  readonly start: readonly number[];
  readonly stop: readonly number[];
  /** The cells' part in the operation: `input`, `bias`, `scale`, … */
  readonly part: string;
}

/** Sizes that the graph alone does not know. */
export interface Reading {
  /** Tokens read so far. */
  readonly positions: Positions;
  /** The number at an index of a tensor that others look up (`tokens` at a position), or undefined. */
  readonly lookup: (tensor: string, index: readonly number[]) => number | undefined;
}

/** Why an operation reads nothing for a cell. */
export interface Masked {
  readonly op: Op;
  readonly read: Read;
  /** The comparison that does not hold. */
  readonly failed: Comparison;
}

/** A box of output cells: half-open ranges, by axis. */
export type Ranges = ReadonlyMap<string, Range>;

/** The cells that one cell is computed from. Empty for weights and for what a mask hides. */
export function cellsRead(
  graph: Graph,
  tensor: string,
  index: readonly number[],
  reading: Reading,
): readonly CellBox[] {
  const op = opMaking(graph, namedBySource(graph, tensor));
  if (!op) return [];
  const at = rangesAt(getTensor(graph, op.output), index);
  return op.reads.flatMap((read) => boxesOf(graph, read, at, reading));
}

/** The cells that a box of an operation's output is computed from, by its reads; along an axis that is looked up there
 *  may be several boxes, and a partner or a bucket widens its box to what lies between. */
export function cellsReadBy(graph: Graph, op: Op, box: Ranges, reading: Reading): readonly CellBox[] {
  return op.reads.flatMap((read) => boxesOf(graph, read, box, reading));
}

/** The cells that one cell goes into, one operation further on; under every name that its numbers have. */
export function cellsFed(
  graph: Graph,
  tensor: string,
  index: readonly number[],
  reading: Reading,
): readonly CellBox[] {
  return namesOf(graph, tensor).flatMap(({ name, transposed }) => {
    const own = transposed ? [...index].reverse() : index;
    return readersOf(graph, name).flatMap(({ op, read }) => outputsOf(graph, op, read, own, reading));
  });
}

/** Why nothing is read for a cell; null where something is. */
export function maskOf(graph: Graph, tensor: string, index: readonly number[]): Masked | null {
  const op = opMaking(graph, namedBySource(graph, tensor));
  if (!op) return null;
  const axes = getTensor(graph, op.output).axes;
  const at = new Map(axes.map((axis, i) => [axis, index[i]!]));
  const failures = op.reads.map((read) => comparisons(read.where).find((one) => !holds(one, at)));
  const first = failures.findIndex((failed) => failed !== undefined);
  if (first < 0 || failures.some((failed) => failed === undefined)) return null;
  return { op, read: op.reads[first]!, failed: failures[first]! };
}

/** The stream between two blocks has two names; the operation that makes it knows the first. */
function namedBySource(graph: Graph, tensor: string): string {
  const info = getTensor(graph, tensor);
  return info.same_as !== null && !info.transposed ? storedAs(graph, info).name : tensor;
}

/** Every name of the same numbers, the stored one among them. */
function namesOf(graph: Graph, tensor: string): readonly { name: string; transposed: boolean }[] {
  const own = getTensor(graph, tensor);
  const stored = storedAs(graph, own);
  const turned = own.transposed;
  const others = graph.tensors.filter(
    (it) => it.same_as !== null && storedAs(graph, it).name === stored.name,
  );
  return [stored, ...others].map((it) => ({ name: it.name, transposed: it.transposed !== turned }));
}

const readers = new WeakMap<Graph, ReadonlyMap<string, readonly { op: Op; read: Read }[]>>();

function readersOf(graph: Graph, tensor: string): readonly { op: Op; read: Read }[] {
  let known = readers.get(graph);
  if (!known) {
    const made = new Map<string, { op: Op; read: Read }[]>();
    for (const op of graph.ops)
      for (const read of op.reads) {
        const others = made.get(read.tensor);
        if (others) others.push({ op, read });
        else made.set(read.tensor, [{ op, read }]);
      }
    known = made;
    readers.set(graph, known);
  }
  return known.get(tensor) ?? [];
}

function rangesAt(tensor: TensorInfo, index: readonly number[]): Ranges {
  return new Map(tensor.axes.map((axis, i): [string, Range] => [axis, one(index[i]!)]));
}

const one = (index: number): Range => [index, index + 1];

// ---- what is read ------------------------------------------------------------------------------------------

function boxesOf(graph: Graph, read: Read, at: Ranges, reading: Reading): readonly CellBox[] {
  const source = getTensor(graph, read.tensor);
  const shape = shapeAt(source, reading.positions);
  return restrict(at, read.where).flatMap((ranges) => {
    let boxes: readonly (readonly Range[])[] = [[]];
    for (const [axis, expression] of read.index.entries()) {
      const size = shape[axis]!;
      const found = rangesRead(expression, ranges, size, reading).filter(
        ([start, stop]) => start < stop && stop <= size,
      );
      boxes = boxes.flatMap((box) => found.map((range) => [...box, range]));
    }
    return boxes.map((box) => boxFrom(read.tensor, box, read.part));
  });
}

/** The indices read along one axis of a source for a box of output cells. */
function rangesRead(
  expression: IndexExpression,
  at: Ranges,
  size: number,
  reading: Reading,
): readonly Range[] {
  if ("free" in expression) return [[0, size]];
  if ("axis" in expression) {
    const [start, stop] = at.get(expression.axis)!;
    return [[Math.floor(start / expression.divide), Math.floor((stop - 1) / expression.divide) + 1]];
  }
  if ("constant" in expression) return [one(expression.constant)];
  if ("pair" in expression) return between(at.get(expression.pair)!, (index) => partnerOf(index, expression));
  if ("bucket" in expression) {
    const [query, key] = expression.bucket.map((axis) => at.get(axis)!) as [Range, Range];
    // Only the distance counts: from the last query to the first key, to the other way round.
    const distances: Range = [key[0] - query[1] + 1, key[1] - query[0]];
    return between(distances, (distance) => bucketOf(0, distance, expression));
  }
  return lookedUp(expression, at, reading);
}

/** From the least to the largest of what the indices of a range become. */
function between([start, stop]: Range, become: (index: number) => number | undefined): readonly Range[] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let index = start; index < stop; index++) {
    const found = become(index);
    if (found === undefined) continue;
    least = Math.min(least, found);
    most = Math.max(most, found);
  }
  return least <= most ? [[least, most + 1]] : [];
}

/** The rows of a table that the numbers elsewhere name, each once. */
function lookedUp({ lookup, index }: LookupIndex, at: Ranges, reading: Reading): readonly Range[] {
  // One index expression a look-up: the graph looks tokens up by their position.
  const [{ axis, divide }] = index as readonly [{ axis: string; divide: number }];
  const [start, stop] = at.get(axis)!;
  const rows = new Set<number>();
  for (let i = start; i < stop; i++) {
    const row = reading.lookup(lookup, [Math.floor(i / divide)]);
    if (row !== undefined) rows.add(row);
  }
  return [...rows].map(one);
}

/** The other of a rotary pair; undefined beyond the part that turns. A partner's partner is the index itself. */
function partnerOf(index: number, { size, layout }: PairIndex): number | undefined {
  if (index >= size) return undefined;
  if (layout === "interleaved") return index % 2 === 0 ? index + 1 : index - 1;
  const half = size / 2;
  return index < half ? index + half : index - half;
}

// ---- what is fed -------------------------------------------------------------------------------------------

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
  const source = shapeAt(getTensor(graph, read.tensor), reading.positions);
  if (index.some((at, axis) => at >= source[axis]!)) return [];
  const whole: Ranges = new Map(output.axes.map((axis, i): [string, Range] => [axis, [0, shape[i]!]]));
  const solved = read.index.reduce<readonly Ranges[]>(
    (boxes, expression, i) => boxes.flatMap((box) => solve(expression, index[i]!, box, reading)),
    [whole],
  );
  return solved
    .flatMap((box) => restrict(box, read.where))
    .map((box) =>
      boxFrom(
        op.output,
        output.axes.map((axis) => box.get(axis)!),
        read.part,
      ),
    );
}

/** The parts of a box of output cells for which an expression gives the wanted index. */
function solve(
  expression: IndexExpression,
  wanted: number,
  box: Ranges,
  reading: Reading,
): readonly Ranges[] {
  if ("free" in expression) return [box];
  if ("axis" in expression) {
    const { axis, divide } = expression;
    return narrow(box, axis, [wanted * divide, (wanted + 1) * divide]);
  }
  if ("constant" in expression) return expression.constant === wanted ? [box] : [];
  if ("pair" in expression) {
    const partner = partnerOf(wanted, expression);
    return partner === undefined ? [] : narrow(box, expression.pair, one(partner));
  }
  if ("bucket" in expression) {
    const [query, key] = expression.bucket;
    return each(box, query, (at) =>
      runs(box.get(key)!, (other) => bucketOf(at, other, expression) === wanted).flatMap((range) =>
        narrow(narrow(box, query, one(at))[0]!, key, range),
      ),
    );
  }
  // One index expression a look-up: the graph looks tokens up by their position.
  const [{ axis, divide }] = expression.index as readonly [{ axis: string; divide: number }];
  return runs(
    box.get(axis)!,
    (at) => reading.lookup(expression.lookup, [Math.floor(at / divide)]) === wanted,
  ).flatMap((range) => narrow(box, axis, range));
}

function narrow(box: Ranges, axis: string, range: Range): readonly Ranges[] {
  const before = box.get(axis);
  if (!before) return [];
  const both: Range = [Math.max(before[0], range[0]), Math.min(before[1], range[1])];
  return both[0] < both[1] ? [new Map(box).set(axis, both)] : [];
}

function each(box: Ranges, axis: string, make: (index: number) => readonly Ranges[]): readonly Ranges[] {
  const [start, stop] = box.get(axis)!;
  return Array.from({ length: stop - start }, (_, i) => make(start + i)).flat();
}

/** The longest unbroken ranges of indices that belong. */
function runs([start, stop]: Range, belongs: (index: number) => boolean): readonly Range[] {
  const found: Range[] = [];
  for (let i = start; i < stop; i++) {
    if (!belongs(i)) continue;
    const first = i;
    while (i < stop && belongs(i)) i++;
    found.push([first, i]);
  }
  return found;
}

function boxFrom(tensor: string, box: readonly Range[], part: string): CellBox {
  return { tensor, start: box.map(([start]) => start), stop: box.map(([, stop]) => stop), part };
}

/** Counts the cells of a box. */
export function boxSize({ start, stop }: Pick<CellBox, "start" | "stop">): number {
  return start.reduce((product, first, axis) => product * (stop[axis]! - first), 1);
}
