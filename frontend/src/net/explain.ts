/** The server's answers about one cell: the arithmetic that made it, or the cells that it goes into. Null numbers
 *  are infinities or not-a-number; docs/reference/explain.md tells what the fields mean. */

import type { Beside, CellValue, Direction, Explanation } from "./contract.gen";
import { getJson, json, ROOT } from "./rest";

export type {
  Beside,
  CellValue as ExplainedCell,
  Direction,
  ExplainedTerm as Term,
  Explanation,
  Fed,
  Line,
  Operand,
} from "./contract.gen";

/** The holder of a cell: a run, or, for weights, a model. */
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
  left: Pick<CellValue, "tensor" | "index">,
  right: Pick<CellValue, "tensor" | "index">,
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
