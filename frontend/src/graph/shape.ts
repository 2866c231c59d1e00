/** Finding tensors and reading their shapes: the few questions everybody asks of a graph. */

import type { Graph, Op, TensorInfo } from "./types";

const tensorsByName = new WeakMap<Graph, ReadonlyMap<string, TensorInfo>>();
const opsByOutput = new WeakMap<Graph, ReadonlyMap<string, Op>>();

function remembered<Value>(
  memory: WeakMap<Graph, ReadonlyMap<string, Value>>,
  graph: Graph,
  make: () => ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  const known = memory.get(graph);
  if (known) return known;
  const made = make();
  memory.set(graph, made);
  return made;
}

/** The tensor of that name, or undefined. */
export function findTensor(graph: Graph, name: string): TensorInfo | undefined {
  return remembered(tensorsByName, graph, () => new Map(graph.tensors.map((it) => [it.name, it]))).get(name);
}

/** The tensor of that name. Throws when the graph has none. */
export function getTensor(graph: Graph, name: string): TensorInfo {
  const tensor = findTensor(graph, name);
  if (!tensor) throw new Error(`the graph has no tensor "${name}"`);
  return tensor;
}

/** The operation that makes a tensor; undefined for weights and for the stream under its second name. */
export function opMaking(graph: Graph, name: string): Op | undefined {
  return remembered(opsByOutput, graph, () => new Map(graph.ops.map((it) => [it.output, it]))).get(name);
}

/** Axes along which tokens stand: their length is that of the text read, not of the model. */
export function isTokenAxis(axis: string): boolean {
  return axis === "pos" || axis === "query_pos" || axis === "key_pos";
}

/** Tokens read: of the text itself, and of the source text of an encoder-decoder. */
export interface Positions {
  readonly target: number;
  readonly source: number;
}

/** The shape of a tensor when `positions` tokens have been read; one number stands for both texts. Weights are as
 *  long as they are. */
export function shapeAt(tensor: TensorInfo, positions: Positions | number): readonly number[] {
  if (tensor.role === "weight") return tensor.shape;
  return tensor.shape.map((size, i) => {
    const axis = tensor.axes[i]!;
    if (!isTokenAxis(axis)) return size;
    if (typeof positions === "number") return Math.min(size, positions);
    return Math.min(size, tensor.source_axes.includes(axis) ? positions.source : positions.target);
  });
}

/** Counts the numbers of a tensor of that shape. */
export function cellCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The tensor that holds the numbers: the stream between two blocks is stored once, and so is a tied W_U. */
export function storedAs(graph: Graph, tensor: TensorInfo): TensorInfo {
  return tensor.same_as === null ? tensor : storedAs(graph, getTensor(graph, tensor.same_as));
}
