/** A pass laid out in time: every operation has its stretch, and what is shown at a place of it follows from the place
 *  alone. */

import type { Reading } from "../graph/cells";
import { type Moment, markOf, momentOf, type Pass, type Step, stepsUnder } from "../graph/pass";
import type { Graph } from "../graph/types";
import { type Pace, shownAt } from "./pace";
import { inARow, type Place, type Stretch } from "./track";

export interface TimedStep extends Step, Stretch {
  readonly pace: Pace;
}

export interface TimedPass extends Pass {
  readonly steps: readonly TimedStep[];
  readonly seconds: number;
}

/** Operation by operation, each as long as it is to be read, or block by block, each as long as any other. */
export type Grain = "operation" | "block";

/** Seconds that a block takes at the usual pace: its sentence is read in that time. */
export const BLOCK_SECONDS = 12;

export function timed(pass: Pass, paceOf: (step: Step) => Pace, grain: Grain): TimedPass {
  const paces = pass.steps.map(paceOf);
  const lengths = paces.map(({ seconds }) => seconds);
  if (grain === "block")
    for (const mark of pass.marks) {
      const [first, end] = stepsUnder(pass, mark);
      const whole = lengths.slice(first, end).reduce((sum, seconds) => sum + seconds, 0);
      for (let step = first; step < end; step++) lengths[step]! *= BLOCK_SECONDS / whole;
    }
  const { steps, seconds } = inARow(lengths);
  return {
    marks: pass.marks,
    steps: pass.steps.map((step, n) => ({ ...step, ...steps[n]!, pace: paces[n]! })),
    seconds,
  };
}

/** What is read and made at a place of the pass. */
export function momentAt(graph: Graph, pass: TimedPass, place: Place, reading: Reading): Moment | null {
  const step = pass.steps[place.step];
  return step ? momentOf(graph, step, shownAt(step.pace, place.progress).part, reading) : null;
}

/** The block, the embedding or the output that a place is in. */
export const nameAt = (pass: TimedPass, { step }: Pick<Place, "step">): string =>
  markOf(pass, step)?.name ?? "";
