/** The self-check of a model: how far it is from a float64 recomputation of its graph. */

import type { Parity, ParityProgress } from "./contract.gen";
import { json } from "./rest";

export type { Parity, ParityProgress } from "./contract.gen";

/** The report, or how far it is; asking for the first time sets it going. */
export const getParity = (model: string, signal: AbortSignal): Promise<Parity | ParityProgress> =>
  json(`/models/${encodeURIComponent(model)}/parity?wait=false`, signal);
