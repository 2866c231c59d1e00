/** How the next token is chosen, as far as the server takes it: the bounds are the server's own. */

import { formatCount } from "../format";
import { BOUNDS } from "../net/contract.gen";
import type { Sampling } from "../net/types";

export type SamplingField = keyof Sampling;

export const SAMPLING_FIELDS = ["temperature", "top_k", "top_p", "seed", "beams"] as const;

const { temperature, top_k, seed, beams } = BOUNDS.Sampling;

const whole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

const RULES: Readonly<Record<SamplingField, readonly [(value: number) => boolean, string]>> = {
  temperature: [
    (value) => value >= 0 && value <= temperature.maximum,
    `Temperature goes from 0 (always the likeliest) to ${temperature.maximum}.`,
  ],
  top_k: [
    (value) => whole(value, 0, top_k.maximum),
    `Top-k is a whole number up to ${formatCount(top_k.maximum)}; 0 keeps every token.`,
  ],
  top_p: [
    (value) => value > 0 && value <= BOUNDS.Sampling.top_p.maximum,
    "Top-p is above 0 and at most 1; 1 keeps every token.",
  ],
  seed: [
    (value) => whole(value, 0, seed.maximum),
    `The seed is a whole number from 0 to ${formatCount(seed.maximum)}.`,
  ],
  beams: [
    (value) => whole(value, beams.minimum, beams.maximum),
    `Beams are a whole number from 1 to ${beams.maximum}.`,
  ],
};

/** What is wrong with a value of a field, or null. */
export function problemOf(name: SamplingField, value: number): string | null {
  const [holds, words] = RULES[name];
  return holds(value) ? null : words;
}

/** What is wrong with a sampling, or null. */
export function samplingProblem(sampling: Sampling): string | null {
  const problems = SAMPLING_FIELDS.map((name) => problemOf(name, sampling[name]));
  return problems.find((problem) => problem !== null) ?? null;
}
