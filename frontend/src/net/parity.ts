/** The proof of a model: how far it is from a float64 recomputation of its graph. Mirrors `Parity` in
 *  app/runs/parity.py and `ParityProgress` in app/api/schemas.py. */

import { json } from "./rest";

/** One operation, or all of one kind: the largest difference, absolute and relative to max(1, largest value). */
export interface OperationParity {
  readonly kind: string;
  /** The tensor where the difference is largest. */
  readonly output: string;
  readonly operations: number;
  readonly cells: number;
  readonly difference: number | null;
  readonly relative: number | null;
}

export interface Parity {
  readonly dtype: string;
  readonly device: string;
  readonly text: string | null;
  readonly tokens: readonly number[];
  readonly operations: number;
  readonly cells: number;
  readonly difference: number | null;
  readonly relative: number | null;
  readonly worst: OperationParity | null;
  readonly kinds: readonly OperationParity[];
  /** Tensors whose infinities or not-a-numbers stand elsewhere than the reference's. */
  readonly not_finite: readonly string[];
}

/** How far the server has come. */
export interface ParityProgress {
  readonly state: "computing";
  readonly done: number;
  readonly operations: number;
}

/** The report, or how far it is; asking for the first time sets it going. */
export const getParity = (model: string, signal: AbortSignal): Promise<Parity | ParityProgress> =>
  json(`/models/${encodeURIComponent(model)}/parity?wait=false`, signal);
