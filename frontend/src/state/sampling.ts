/** How the next token is chosen, as far as the server takes it: one bound a field, and what is said of a value beyond. */

import type { Sampling } from "../net/types";

export type SamplingField = keyof Sampling;

export const SAMPLING_FIELDS = ["temperature", "top_k", "top_p", "seed", "beams"] as const;

/** The largest values that the server takes (`Sampling` in app/api/schemas.py). */
const MOST = { temperature: 100, top_k: 2 ** 31 - 1, top_p: 1, seed: Number.MAX_SAFE_INTEGER, beams: 16 };

const whole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

const RULES: Readonly<Record<SamplingField, readonly [(value: number) => boolean, string]>> = {
  temperature: [
    (value) => value >= 0 && value <= MOST.temperature,
    `Temperature goes from 0 (always the likeliest) to ${MOST.temperature}.`,
  ],
  top_k: [
    (value) => whole(value, 0, MOST.top_k),
    "Top-k is a whole number up to 2,147,483,647; 0 keeps every token.",
  ],
  top_p: [
    (value) => value > 0 && value <= MOST.top_p,
    "Top-p is above 0 and at most 1; 1 keeps every token.",
  ],
  seed: [
    (value) => whole(value, 0, MOST.seed),
    "The seed is a whole number from 0 to 9,007,199,254,740,991.",
  ],
  beams: [(value) => whole(value, 1, MOST.beams), `Beams are a whole number from 1 to ${MOST.beams}.`],
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
