/** The numbers of the made-up graph: weights by a rule of their own, and everything else computed from the graph, cell by
 *  cell. The rule gives quarters, which half floats hold exactly. */

import { type CellBox, cellsRead } from "../../src/graph/cells";
import { cellCount, getTensor, opMaking, shapeAt } from "../../src/graph/shape";
import type { TensorInfo } from "../../src/graph/types";
import { NO_TEXT, readingOf, type SourceText } from "../../src/sources/port";
import { graph } from "./graph";

/** What is read: words two, four and zero of the five. */
export const text: SourceText = {
  ...NO_TEXT,
  tokens: [2, 4, 0].map((id) => ({ id, text: ["zero", "one", "two", "three", "four"][id]! })),
  read: 3,
};
export const reading = readingOf(text);

/** A weight by its row and column. `tests/browser/test_made_up.py` has the same rule. */
const weight = (salt: number, row: number, column: number): number =>
  (((7 * row + 3 * column + salt) % 11) - 5) / 4;

const known = new Map<string, number>();

/** The number of a cell. */
export function numberAt(tensor: string, index: readonly number[]): number {
  const key = `${tensor} ${index}`;
  const value = known.get(key) ?? compute(tensor, index);
  known.set(key, value);
  return value;
}

function compute(tensor: string, index: readonly number[]): number {
  const op = opMaking(graph, tensor);
  if (!op)
    return weight(
      graph.tensors.findIndex(({ name }) => name === tensor),
      index[0]!,
      index[1]!,
    );
  const [first = [], second = []] = operandsOf(tensor, index).map(valuesOf);
  switch (op.kind) {
    case "einsum":
      return first.reduce((sum, value, i) => sum + value * second[i]!, 0);
    case "activation":
      return Math.max(0, first[0]!);
    case "add":
      return first[0]! + second[0]!;
    case "softmax":
      return Math.exp(first[0]!) / second.reduce((sum, score) => sum + Math.exp(score), 0);
    default:
      return first[0]!;
  }
}

/** What a cell is made of: a box for each operand of its operation. */
export const operandsOf = (tensor: string, index: readonly number[]): readonly CellBox[] =>
  cellsRead(graph, tensor, index, reading);

/** The cells of a box, its last axis running fastest. */
export function cellsOf({ start, stop }: Pick<CellBox, "start" | "stop">): readonly (readonly number[])[] {
  return start.reduce<readonly (readonly number[])[]>(
    (cells, first, axis) =>
      cells.flatMap((cell) =>
        Array.from({ length: stop[axis]! - first }, (_, i) => [...cell, first + i] as const),
      ),
    [[]],
  );
}

export const valuesOf = (box: CellBox): readonly number[] =>
  cellsOf(box).map((index) => numberAt(box.tensor, index));

/** The shape of a tensor for the text read. */
export const shapeOf = (info: TensorInfo): readonly number[] => shapeAt(info, reading.positions);

/** The largest |value| of every tensor. */
export function largest(): Readonly<Record<string, number>> {
  const of = (info: TensorInfo): number => {
    const stop = shapeOf(info);
    if (cellCount(stop) === 0) return 1;
    return Math.max(
      ...cellsOf({ start: stop.map(() => 0), stop }).map((index) => Math.abs(numberAt(info.name, index))),
    );
  };
  return Object.fromEntries(graph.tensors.map((info) => [info.name, of(getTensor(graph, info.name))]));
}
