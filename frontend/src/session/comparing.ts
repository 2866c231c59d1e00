/** Comparing: keeps a list of what was read, makes the run that is to be taken away, and learns how they are paired. */

import { computed, effect, untracked } from "@preact/signals";
import { ApiError, getPairing, getRun, getScales, makeRun } from "../net/rest";
import type { ColoursPort } from "../scene/ports";
import {
  comparing,
  comparison,
  comparisonProblem,
  differenceScales,
  differenceTensorScales,
  type EarlierRun,
  earlier,
  pairing,
  withRun,
} from "../state/difference";
import { hasRead, readAgain, rests, type TokensRead } from "../state/run";
import { scaleChoice } from "../state/scales";
import * as state from "../state/store";
import type { Session } from "./session";

/** What to compare with: a run of this visit, a text, or tokens as they are. */
export type Other =
  | { readonly earlier: EarlierRun }
  | { readonly run: string }
  | { readonly text: string }
  | TokensRead;

/** Counts what is asked for: an answer that is no longer wanted is dropped. */
let asks = 0;

/** Takes another run from the one shown. The server may have forgotten an earlier one: then it is made again. */
export async function compareWith(other: Other): Promise<void> {
  const model = state.modelId.value;
  if (!model) return;
  asks += 1;
  const own = asks;
  comparisonProblem.value = null;
  comparing.value = true;
  try {
    const made = await otherRun(model, other);
    if (own === asks && state.modelId.value === model) comparison.value = { ...made, model };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (own === asks) comparisonProblem.value = { message: error.message, hint: error.hint };
  } finally {
    if (own === asks) comparing.value = false;
  }
}

async function otherRun(model: string, other: Other): Promise<Omit<EarlierRun, "model">> {
  if ("run" in other) return getRun(other.run);
  if (!("earlier" in other)) return makeRun(model, other);
  return (await held(other.earlier)) ?? makeRun(model, again(other.earlier));
}

export function stopComparing(): void {
  asks += 1;
  comparing.value = false;
  comparison.value = null;
  comparisonProblem.value = null;
}

const again = ({ tokens, source, kinds = [] }: EarlierRun) => readAgain({ tokens, source, kinds });

/** The run if the server still has it as it was. */
async function held(run: EarlierRun): Promise<Omit<EarlierRun, "model"> | null> {
  try {
    return await getRun(run.run);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Writes down every run that rests, as far as it has come. */
export function rememberRuns(): void {
  effect(() => {
    const run = state.run.value;
    if (!run?.id || !rests(run) || run.tokens.length === 0) return;
    const { id, model, tokens, source, kinds } = run;
    earlier.value = withRun(earlier.peek(), { run: id, model, tokens, source, kinds });
  });
}

/** Whose pairs and scales are wanted: of the run shown, once it has read its prompt, and what is taken from it. */
const wanted = computed(() => {
  const run = state.run.value;
  const other = comparison.value;
  if (!run?.id || !other || other.model !== run.model) return null;
  return JSON.stringify([run.id, other.run, hasRead(run), scaleChoice.value.mode === "tensor"]);
});

/** The map shows differences while there is something to take away. */
export function followComparison(session: Session, map: ColoursPort | null): void {
  let shown: string | null = null;
  effect(() => {
    const other = comparison.value;
    if (other && other.model !== state.modelId.value) {
      comparison.value = null;
      return;
    }
    if ((other?.run ?? null) === shown) return;
    shown = other?.run ?? null;
    pairing.value = null;
    differenceScales.value = {};
    differenceTensorScales.value = {};
    map?.setDifference(other !== null);
    untracked(() => session.refresh());
  });
  effect(() => {
    if (wanted.value !== null) void learn(wanted.value);
  });
}

async function learn(asked: string): Promise<void> {
  const [run, minus, read, byTensor] = JSON.parse(asked) as [string, string, boolean, boolean];
  try {
    const pairs = await getPairing(run, minus);
    if (wanted.peek() === asked) pairing.value = pairs;
    if (!read) return;
    const scales = await getScales(run, { minus });
    const own = byTensor ? await getScales(run, { minus, by: "tensor" }) : {};
    if (wanted.peek() !== asked) return;
    differenceScales.value = scales;
    differenceTensorScales.value = own;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (wanted.peek() !== asked) return;
    stopComparing();
    comparisonProblem.value = { message: error.message, hint: error.hint };
  }
}
