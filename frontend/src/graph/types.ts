/** The graph of a model as the server publishes it (`GET /api/v1/models/{id}/graph`): one declaration for
 *  drawing, hovering and animating. Mirrors app/transformer/graph.py. */

export type Role = "weight" | "activation" | "probability" | "summary";

/** Reading at the output's own index along an axis, or at that index divided, rounded down (`head // 3`). */
export interface AxisIndex {
  readonly axis: string;
  readonly divide: number;
}
/** A contracted axis: every index along it is read. */
export interface FreeIndex {
  readonly free: string;
}
/** An index that is itself a number read elsewhere, such as the token at a position. */
export interface LookupIndex {
  readonly lookup: string;
  readonly index: readonly AxisIndex[];
}
/** Always the same index. */
export interface ConstantIndex {
  readonly constant: number;
}
/** The partner of an index among the first `size`: i and i + size/2 (`half`), or 2i and 2i + 1 (`interleaved`). */
export interface PairIndex {
  readonly pair: string;
  readonly size: number;
  readonly layout: "half" | "interleaved";
}
/** T5's bucket of the distance from the first axis (a query) to the second (a key). */
export interface BucketIndex {
  readonly bucket: readonly [string, string];
  readonly buckets: number;
  readonly max_distance: number;
  readonly bidirectional: boolean;
}
export type IndexExpression = AxisIndex | FreeIndex | ConstantIndex | PairIndex | LookupIndex | BucketIndex;

export interface Read {
  readonly tensor: string;
  readonly index: readonly IndexExpression[];
  readonly part: string;
  /** For which output cells anything is read: comparisons joined by " and ", each `axis <= axis`,
   *  `axis > axis - N` or `axis < N`. */
  readonly where: string | null;
}

export interface TensorInfo {
  readonly name: string;
  readonly role: Role;
  readonly axes: readonly string[];
  /** Sizes along `axes`; token axes have the context length, their upper bound. */
  readonly shape: readonly number[];
  /** Tensors of one kind (all `W_Q`) share a colour scale. */
  readonly kind: string;
  readonly layer: number | null;
  /** A tensor holding the very same numbers, read transposed when `transposed`. */
  readonly same_as: string | null;
  readonly transposed: boolean;
  /** Computed when asked for, not kept. */
  readonly derived: boolean;
  /** Which stack of an encoder-decoder it belongs to; null elsewhere. */
  readonly stack: "encoder" | "decoder" | null;
  /** Those of its token axes that run along the source text of an encoder-decoder. */
  readonly source_axes: readonly string[];
  /** False for tables that follow from a formula (sinusoids, rotary cosines). */
  readonly learned: boolean;
}

export interface Op {
  readonly kind: string;
  readonly output: string;
  readonly reads: readonly Read[];
  readonly title: string;
  readonly equation: string;
  readonly layer: number | null;
  readonly constants: Readonly<Record<string, number | string>>;
  readonly stack: "encoder" | "decoder" | null;
}

export interface Graph {
  readonly tensors: readonly TensorInfo[];
  readonly ops: readonly Op[];
  readonly sizes: Readonly<Record<string, number>>;
}
