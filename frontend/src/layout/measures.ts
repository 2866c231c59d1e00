/** The sizes and gaps that every section of the map is built from, in cells.
 *
 *  Sections share columns so that what belongs together lines up: from the stream (x = 0) leftward come the
 *  normalized stream, the norm's gain and bias, its output, and then the weights.
 */

import { getTensor, type Positions } from "../graph/shape";
import type { Graph } from "../graph/types";
import type { HeadArrangement } from "./head-arrangement";
import { type StackName, streamOf } from "./structure";

export interface Measures {
  readonly heads: number;
  /** Heads that share one key-value head. */
  readonly group: number;
  readonly headWidth: number;
  readonly modelWidth: number;
  /** Positions of this stack that activations have room for. */
  readonly positions: number;
  readonly arrangement: HeadArrangement;
  /** Between parts. */
  readonly gap: number;
  /** Between what belongs together. */
  readonly narrow: number;
  /** Between a bias or a summary and what it belongs to. */
  readonly hair: number;
  /** Left edges of the shared columns. */
  readonly normalizedX: number;
  readonly gainX: number;
  readonly biasX: number;
  readonly outX: number;
  /** The same for a norm that the stream runs through, whose output stands on the stream. */
  readonly innerX: number;
  readonly innerGainX: number;
  readonly innerBiasX: number;
  /** Left edge of what a sub-layer adds: under the norm's output, unless a band goes down there. */
  readonly addedX: number;
  /** Right edge of the weights. */
  readonly weightsX: number;
  /** Left edge of the square that joins the heads, and, a channel for their bands further left, the heads' right. */
  readonly joinX: number;
  readonly headsX: number;
  /** What a norm's two summaries take above it. */
  readonly summaryHeight: number;
  /** From strip to strip of the output. */
  readonly stripHeight: number;
  /** Cells along one strip of the folded vocabulary, and of `W_pos`. */
  readonly strip: number;
}

/** Height of the folded vocabulary over its width, at most. */
const TALLEST_FOLD = 4;

/** Room for this many positions, but for no more than the model can read. */
export function roomFor(graph: Graph, capacity: Positions | number): Positions {
  const { target, source } = typeof capacity === "number" ? { target: capacity, source: capacity } : capacity;
  const bounded = (asked: number, most: number): number => Math.max(1, Math.min(Math.floor(asked), most));
  const context = graph.sizes.pos ?? 1;
  return { target: bounded(target, context), source: bounded(source, graph.sizes.source_pos ?? context) };
}

/** Measures of a stack with room for so many positions. */
export function measure(
  graph: Graph,
  room: Positions,
  stack: StackName,
  arrangement: HeadArrangement,
): Measures {
  const size = (axis: string): number => graph.sizes[axis] ?? 0;
  const positions = stack === "encoder" ? room.source : room.target;
  const [modelWidth, mlpWidth, headWidth] = [size("d_model"), size("d_mlp"), size("d_head")];
  const gap = Math.round(Math.max(6, modelWidth / 10));
  const narrow = Math.round(Math.max(3, modelWidth / 48));
  const hair = Math.round(Math.max(1, modelWidth / 192));
  const normalizedX = -gap - positions;
  const gainX = normalizedX - narrow - 1;
  const biasX = gainX - hair - 1;
  const outX = biasX - narrow - positions;
  const weightsX = outX - gap;
  const joinX = weightsX - size("head") * headWidth;
  const innerBiasX = -narrow - 1;
  const innerGainX = innerBiasX - hair - 1;
  const vocabulary = size("d_vocab");
  const widest = Math.max(mlpWidth, modelWidth);
  // The rows of one strip where it is tallest: weights, scores and probabilities under each other.
  const biased = size("d_vocab") > 0 && graph.tensors.some(({ name }) => name === "b_U");
  const stripHeight = modelWidth + (biased ? 1 + hair : 0) + 2 * (positions + narrow) + gap;
  const strip = Math.max(widest, Math.ceil(Math.sqrt((vocabulary * stripHeight) / TALLEST_FOLD)));
  return {
    heads: size("head"),
    group: size("head") / Math.max(1, size("kv_head")),
    headWidth,
    modelWidth,
    positions,
    arrangement,
    gap,
    narrow,
    hair,
    normalizedX,
    gainX,
    biasX,
    outX,
    innerX: innerGainX - narrow - positions,
    innerGainX,
    innerBiasX,
    addedX: readTwice(graph) ? normalizedX : outX,
    weightsX,
    joinX,
    headsX: joinX - 3 * gap,
    summaryHeight: 2 * (1 + hair),
    stripHeight,
    strip,
  };
}

/** A half-open range of cells along an axis. */
export interface Strip {
  readonly start: number;
  readonly length: number;
}

/** `length` cells folded into as few strips of at most `widest` as hold them, all but the last equally long. */
export function fold(length: number, widest: number): readonly Strip[] {
  const count = Math.max(1, Math.ceil(length / widest));
  const each = Math.ceil(length / count);
  return Array.from({ length: Math.ceil(length / each) }, (_, i) => ({
    start: i * each,
    length: Math.min(each, length - i * each),
  }));
}

/** Whether attention and MLP read one norm's output, as in parallel blocks that share it: its band then passes what
 *  attention adds. */
function readTwice(graph: Graph): boolean {
  const stream = streamOf(graph);
  const bySource = new Map<string, Set<string>>();
  for (const { reads, output, kind } of graph.ops) {
    const [read] = reads;
    if (kind !== "einsum" || !read || stream.has(read.tensor)) continue;
    if (getTensor(graph, read.tensor).axes.length !== 2) continue;
    const owner = output.split(".").slice(0, -1).join(".");
    bySource.set(read.tensor, (bySource.get(read.tensor) ?? new Set()).add(owner));
  }
  return [...bySource.values()].some((owners) => owners.size > 1);
}
