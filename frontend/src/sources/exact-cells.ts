/** Exact float32 values of single cells: asked for as 32 x 32 neighbourhoods, kept, and shared by all who ask. */

import { getTensor } from "../graph/shape";
import type { Numbers } from "../net/npy";
import type { NumbersSource } from "./port";

const SIDE = 32;
const KEPT = 256;

/** The part of a source that single cells are read from. */
type Cells = Pick<NumbersSource, "graph" | "keyOf" | "cells">;

const kept = new Map<string, Numbers>();

/** The block of the last two axes that holds a cell, and the cell's place in it. */
export function neighbourhood(index: readonly number[]) {
  const first = Math.max(0, index.length - 2);
  const start = index.map((at, axis) => (axis < first ? at : at - (at % SIDE)));
  const stop = start.map((at, axis) => (axis < first ? at + 1 : at + SIDE));
  return { start, stop, inner: index.map((at, axis) => at - start[axis]!) };
}

/** The number of a cell.
 *  @throws ApiError, RangeError when there is no such cell (yet), DOMException when given up by `signal`. */
export async function exactValue(
  source: Cells,
  tensor: string,
  index: readonly number[],
  signal?: AbortSignal,
): Promise<number> {
  const { start, stop, inner } = neighbourhood(index);
  const key = `${source.keyOf(getTensor(source.graph, tensor))} ${tensor} ${start}`;
  const known = kept.get(key);
  const here = known && within(known, inner);
  if (here !== undefined) return here;
  const block = await source.cells(tensor, start, stop, signal);
  keep(key, block);
  const value = within(block, inner);
  if (value === undefined) throw new RangeError(`${tensor} has no cell ${index.join(", ")} yet`);
  return value;
}

function within({ shape, values }: Numbers, inner: readonly number[]): number | undefined {
  let offset = 0;
  for (const [axis, at] of inner.entries()) {
    if (at >= (shape[axis] ?? 0)) return undefined;
    offset = offset * shape[axis]! + at;
  }
  return values[offset];
}

/** The oldest goes when there are too many. */
function keep(key: string, block: Numbers): void {
  kept.delete(key);
  kept.set(key, block);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
}
