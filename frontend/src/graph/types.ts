/** The graph of a model as the server publishes it (`GET /api/v1/models/{id}/graph`): one declaration for
 *  drawing, hovering and animating. Mirrors app/transformer/graph.py. */

export type Role = "weight" | "activation" | "probability" | "summary";

/** Reading at the output's own index along an axis. */
export interface AxisIndex {
  readonly axis: string;
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
export type IndexExpression = AxisIndex | FreeIndex | LookupIndex;

export interface Read {
  readonly tensor: string;
  readonly index: readonly IndexExpression[];
  readonly part: string;
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
}

export interface Op {
  readonly kind: string;
  readonly output: string;
  readonly reads: readonly Read[];
  readonly title: string;
  readonly equation: string;
  readonly layer: number | null;
  readonly constants: Readonly<Record<string, number | string>>;
}

export interface Graph {
  readonly tensors: readonly TensorInfo[];
  readonly ops: readonly Op[];
  readonly sizes: Readonly<Record<string, number>>;
}
