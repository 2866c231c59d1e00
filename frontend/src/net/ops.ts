/** A model's operations in words: the formula and the sentence of each. */

import type { Operation, Operations } from "./contract.gen";
import { json } from "./rest";

export type { Operation as WordedOperation } from "./contract.gen";

/** Operations come in stretches of so many. */
export const STRETCH = 64;

/** The stretch of operations that begins at a number.
 *  @throws ApiError when the server refuses. */
export async function getOperations(model: string, start: number): Promise<readonly Operation[]> {
  const query = new URLSearchParams({ start: `${start}`, count: `${STRETCH}` });
  const answer = await json<Operations>(`/models/${encodeURIComponent(model)}/ops?${query}`);
  return answer.ops;
}
