/** Compares what a reader guessed or answered with what the run holds: pure. */

import type { ResolvedCheck, ResolvedPredict } from "../../net/contract.gen";
import type { Answered } from "../../state/lesson";

/** The least probability that a guess is scored by: a token that the model holds impossible costs no more than this. */
const LEAST = 1e-6;

/** A token among those offered, by its place: right if it is the likeliest, scored by what it was given. */
export function scoreToken({ truth, offered, shares }: ResolvedPredict, choice: number): Answered {
  const share = shares[choice];
  return {
    right: offered[choice] === truth[0],
    loss: share === undefined ? null : -Math.log(Math.max(share, LEAST)),
    given: [choice],
  };
}

/** A bar drawn between two bounds: right within a tenth of them. */
export function scoreNumber({ truth, low, high }: ResolvedPredict, drawn: number): Answered {
  return { right: Math.abs(drawn - truth[0]!) <= (high - low) / 10, loss: null, given: [drawn] };
}

export function scoreCell({ truth }: ResolvedPredict, index: number): Answered {
  return { right: index === truth[0], loss: null, given: [index] };
}

/** The numbers of things put in order, the smallest first: right if their values rise. */
export function scoreOrder({ truth }: ResolvedPredict, order: readonly number[]): Answered {
  const values = order.map((at) => truth[at]!);
  return {
    right: values.every((value, at) => at === 0 || values[at - 1]! <= value),
    loss: null,
    given: order,
  };
}

/** An answer to a question: a number within its bounds, or the very index. */
export function scoreCheck({ kind, key, within }: ResolvedCheck, given: number): Answered {
  // Numbers are shown rounded: what is right to the last digit shown is right.
  const slack = kind === "number" ? Math.max(within, Math.abs(key) * 5e-4) : 0;
  return { right: Math.abs(given - key) <= slack, loss: null, given: [given] };
}

/** A number as people write it: with a comma or a point, a true minus, digits in groups, a percent sign. */
export function readNumber(text: string): number | null {
  const plain = text
    .trim()
    .replaceAll("−", "-")
    .replaceAll(/[\s\u202f_]/g, "");
  const percent = plain.endsWith("%");
  const digits = plain.replace(/%$/, "");
  const grouped = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits);
  const number = Number(grouped ? digits.replaceAll(",", "") : digits.replace(",", "."));
  if (digits === "" || !Number.isFinite(number)) return null;
  return percent ? number / 100 : number;
}
