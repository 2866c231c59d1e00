/** The sampling in the page's address: as much of it as is said, nothing where any of it would be refused. */

import type { Sampling } from "../net/types";
import { codec } from "./codec";
import { problemOf, SAMPLING_FIELDS, type SamplingField } from "./sampling";
import { sampling } from "./store";

export const samplingCodec = codec({
  key: "sampling",
  where: "query",
  read: (from): Partial<Sampling> | undefined => {
    const given = SAMPLING_FIELDS.filter((name) => from.has(name));
    if (given.length === 0 || given.some((name) => problemOf(name, said(from, name)) !== null))
      return undefined;
    return Object.fromEntries(given.map((name) => [name, said(from, name)]));
  },
  write: (values, into) => {
    for (const name of SAMPLING_FIELDS) {
      const value = values[name];
      if (value !== undefined && !(name === "beams" && value === 1)) into.set(name, `${value}`);
    }
  },
  signal: sampling,
  history: "replace",
});

/** What an address says of a field of the sampling; not a number where that is none. */
function said(query: URLSearchParams, name: SamplingField): number {
  const text = query.get(name)?.trim() ?? "";
  return text === "" ? Number.NaN : Number(text);
}

/** Why the sampling that an address asks for is left out, in words; null where it is not. */
export function samplingLeftOut(search: string): string | null {
  const query = new URLSearchParams(search);
  const problems = SAMPLING_FIELDS.flatMap((name) => {
    const problem = query.has(name) ? problemOf(name, said(query, name)) : null;
    return problem === null ? [] : [`${name}=${query.get(name)}. ${problem}`];
  });
  return problems.length > 0 ? `The sampling in the address is left out: ${problems.join(" ")}` : null;
}
