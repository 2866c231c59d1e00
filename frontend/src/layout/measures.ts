/** The sizes and gaps that every section of the map is built from, in cells.
 *
 *  Sections share columns so that what belongs together lines up: from the stream (x = 0) leftward come the
 *  normalized stream, the norm's gain and bias, its output, and then the weights.
 */

import type { Graph } from "../graph/types";

export interface Measures {
  readonly heads: number;
  readonly headWidth: number;
  readonly modelWidth: number;
  readonly mlpWidth: number;
  readonly vocabulary: number;
  /** Positions the model knows; the length of `W_pos`. */
  readonly context: number;
  /** Positions that activations have room for. */
  readonly positions: number;
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

/** Measures of a decoder graph with room for `capacity` positions. */
export function measure(graph: Graph, capacity: number): Measures {
  const size = (axis: string): number => graph.sizes[axis] ?? 0;
  const context = size("pos");
  const positions = Math.max(1, Math.min(Math.floor(capacity), context));
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
  const vocabulary = size("d_vocab");
  const widest = Math.max(mlpWidth, modelWidth);
  // The rows of one strip where it is tallest: weights, scores and probabilities under each other.
  const stripHeight = modelWidth + 2 * (positions + narrow) + gap;
  const strip = Math.max(widest, Math.ceil(Math.sqrt((vocabulary * stripHeight) / TALLEST_FOLD)));
  return {
    heads: size("head"),
    headWidth,
    modelWidth,
    mlpWidth,
    vocabulary,
    context,
    positions,
    gap,
    narrow,
    hair,
    normalizedX,
    gainX,
    biasX,
    outX,
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
