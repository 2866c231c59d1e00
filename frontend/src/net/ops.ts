/** A model's operations in words: the formula and the sentence of each. Mirrors `Operations` in app/api/schemas.py. */

import { json } from "./rest";

export interface WordedOperation {
  readonly number: number;
  readonly output: string;
  readonly kind: string;
  readonly title: string;
  readonly equation: string;
  readonly latex: string;
  readonly latex_marked: string;
  readonly term_latex: string | null;
  readonly sentence: string;
  readonly symbols: Readonly<Record<string, string>>;
  readonly constants: Readonly<Record<string, number | string>>;
}

/** Operations come in stretches of so many. */
export const STRETCH = 64;

/** The stretch of operations that begins at a number.
 *  @throws ApiError when the server refuses. */
export async function getOperations(model: string, start: number): Promise<readonly WordedOperation[]> {
  const query = new URLSearchParams({ start: `${start}`, count: `${STRETCH}` });
  const answer = await json<{ ops: readonly WordedOperation[] }>(
    `/models/${encodeURIComponent(model)}/ops?${query}`,
  );
  return answer.ops;
}
