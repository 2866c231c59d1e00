/** Exact float32 values of single cells: fetched as 32 x 32 neighbourhoods, kept, and shared by all who ask. */

import type { Numbers } from "./npy";
import { getActivations, getWeights, type Slice } from "./rest";

const SIDE = 32;
const KEPT = 256;

/** The holder of a tensor's numbers: a model's weights, or a run's activations. */
export interface Source {
  readonly kind: "weights" | "activations";
  readonly id: string;
}

const kept = new Map<string, Numbers>();

/** The block of the last two axes that holds a cell, and the cell's place in it. */
export function neighbourhood(index: readonly number[]): { slice: Slice; inner: readonly number[] } {
  const first = Math.max(0, index.length - 2);
  const starts = index.slice(first).map((at) => at - (at % SIDE));
  return {
    slice: [...index.slice(0, first), ...starts.map((start): [number, number] => [start, start + SIDE])],
    inner: index.slice(first).map((at) => at % SIDE),
  };
}

/** The number of a cell, if it was fetched before. */
export function knownValue(source: Source, tensor: string, index: readonly number[]): number | undefined {
  const { slice, inner } = neighbourhood(index);
  const block = kept.get(keyOf(source, tensor, slice));
  return block && within(block, inner);
}

/** The number of a cell.
 *  @throws ApiError, RangeError when there is no such cell (yet), DOMException when given up by `signal`. */
export async function exactValue(
  source: Source,
  tensor: string,
  index: readonly number[],
  signal?: AbortSignal,
): Promise<number> {
  const known = knownValue(source, tensor, index);
  if (known !== undefined) return known;
  const { slice, inner } = neighbourhood(index);
  const block = await numbersOf(source, tensor, slice, signal);
  keep(keyOf(source, tensor, slice), block);
  const value = within(block, inner);
  if (value === undefined) throw new RangeError(`${tensor} has no cell ${index.join(", ")} yet`);
  return value;
}

/** All numbers of a box of cells, its last axis running fastest.
 *  @throws ApiError, DOMException when given up by `signal`. */
export async function valuesOf(
  source: Source,
  tensor: string,
  start: readonly number[],
  stop: readonly number[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const slice = start.map((at, axis): [number, number] => [at, stop[axis]!]);
  return (await numbersOf(source, tensor, slice, signal)).values;
}

function numbersOf(source: Source, tensor: string, slice: Slice, signal?: AbortSignal): Promise<Numbers> {
  const get = source.kind === "weights" ? getWeights : getActivations;
  return get(source.id, tensor, slice, signal);
}

function within({ shape, values }: Numbers, inner: readonly number[]): number | undefined {
  let offset = 0;
  for (const [axis, at] of inner.entries()) {
    if (at >= (shape[axis] ?? 0)) return undefined;
    offset = offset * shape[axis]! + at;
  }
  return values[offset];
}

function keep(key: string, block: Numbers): void {
  kept.delete(key);
  kept.set(key, block);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
}

const keyOf = (source: Source, tensor: string, slice: Slice) =>
  `${source.kind} ${source.id} ${tensor} ${slice.join(" ")}`;
