/** What the server answers about one cell: the arithmetic that made it, or the cells that it goes into. Mirrors
 *  app/runs/explanation.py; docs/reference/explain.md tells what the fields mean. Null numbers are infinities or not-a-number. */

import { getJson, json, ROOT } from "./rest";

export type Direction = "backward" | "forward";

export interface ExplainedCell {
  readonly tensor: string;
  readonly index: readonly number[];
  readonly value: number | null;
}

export interface Operand {
  /** Its place among the operation's reads: the n of `\operand{n}{…}`. */
  readonly read: number;
  readonly part: string;
  readonly tensor: string;
  readonly role: string;
  readonly axes: readonly string[];
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly count: number;
  readonly index_text: string;
  readonly stored_as: string;
  readonly transposed: boolean;
  readonly values: readonly (number | null)[] | null;
}

export interface Term {
  readonly operands: readonly ExplainedCell[];
  readonly value: number | null;
}

export interface ExplainedOperation {
  readonly kind: string;
  readonly title: string;
  readonly equation: string;
  readonly latex: string;
  readonly latex_marked: string;
  readonly latex_values: string;
  readonly term_latex: string | null;
  readonly sentence: string;
  readonly symbols: Readonly<Record<string, string>>;
  readonly constants: Readonly<Record<string, number | string>>;
}

/** How the arithmetic of a cell is played. */
export interface Playback {
  readonly merging: string | null;
  readonly sign: string;
  readonly steps: readonly {
    readonly joins: string | null;
    readonly sign: string;
    readonly becomes: number | null;
    readonly words: string;
  }[];
}

/** The cells along one axis of a weight, through the cell asked for. */
export interface Line {
  readonly axis: string;
  readonly length: number;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly norm: number | null;
  readonly smallest: number | null;
  readonly largest: number | null;
}

export interface Fed {
  readonly tensor: string;
  readonly part: string;
  readonly kind: string;
  readonly title: string;
  readonly axes: readonly string[];
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly count: number;
  readonly condition: string | null;
}

export interface Explanation {
  readonly model: string;
  readonly run: string | null;
  readonly tensor: string;
  readonly stored_as: string;
  readonly role: string;
  readonly index: readonly number[];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly direction: Direction;
  readonly captured: number | null;
  readonly op: ExplainedOperation | null;
  readonly operands: readonly Operand[];
  readonly combine: "sum" | "root" | "divisor" | "largest" | null;
  readonly terms: readonly Term[];
  readonly rest: { readonly count: number; readonly sum: number | null } | null;
  readonly playback: Playback | null;
  readonly bias: number | null;
  readonly scale: number | null;
  readonly result: number | null;
  readonly difference: number | null;
  readonly tolerance: number | null;
  readonly agrees: boolean | null;
  readonly masked: string | null;
  readonly changed: string | null;
  readonly lines: readonly Line[];
  readonly feeds: readonly Fed[];
  readonly feeds_left_out: number;
}

/** A number of one cell, the same of another, and the first less the second. */
export interface Sides {
  readonly left: number | null;
  readonly right: number | null;
  readonly difference: number | null;
}

/** Two cells of a run side by side: the pairs of terms that differ most, and the sums of the others. */
export interface Beside {
  readonly left: ExplainedCell;
  readonly right: ExplainedCell;
  readonly captured: Sides;
  readonly result: Sides | null;
  readonly bias: Sides | null;
  readonly pairs: readonly {
    readonly left: Term;
    readonly right: Term;
    readonly difference: number | null;
  }[];
  readonly rest: (Sides & { readonly count: number }) | null;
  /** Why there are no pairs. */
  readonly unpaired: string | null;
}

/** Where a cell is: in a run, or, for weights, in a model. */
export interface Place {
  readonly kind: "runs" | "models";
  readonly id: string;
}

/** The address of an explanation, from the server's root. */
export function explainAddress(
  { kind, id }: Place,
  tensor: string,
  index: readonly number[],
  direction: Direction,
): string {
  const query = new URLSearchParams({ index: index.join(","), direction });
  return `${ROOT}/${kind}/${encodeURIComponent(id)}/explain/${encodeURIComponent(tensor)}?${query}`;
}

/** @throws ApiError when the server refuses, DOMException when given up by `signal`. */
export async function getExplanation(
  place: Place,
  tensor: string,
  index: readonly number[],
  direction: Direction,
  signal: AbortSignal,
): Promise<Explanation> {
  return getJson<Explanation>(explainAddress(place, tensor, index, direction), signal);
}

/** The first cell less the second, term by term.
 *  @throws ApiError when the server refuses, DOMException when given up by `signal`. */
export async function getBeside(
  run: string,
  left: Pick<ExplainedCell, "tensor" | "index">,
  right: Pick<ExplainedCell, "tensor" | "index">,
  terms: number,
  signal: AbortSignal,
): Promise<Beside> {
  const [name, other] = [left, right].map(({ tensor }) => encodeURIComponent(tensor));
  const query = new URLSearchParams({
    index: left.index.join(","),
    other_index: right.index.join(","),
    terms: `${terms}`,
  });
  return json<Beside>(`/runs/${encodeURIComponent(run)}/explain/${name}/beside/${other}?${query}`, signal);
}
