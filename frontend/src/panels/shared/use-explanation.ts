/** The explanation of a cell for a panel: asked for once the pointer rests, given up when it moves on. The same for
 *  two cells side by side. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Beside, Explanation } from "../../net/explain";
import { ApiError } from "../../net/rest";
import {
  besideKey,
  compareCells,
  explain,
  explanationKey,
  knownComparison,
  knownExplanation,
  placeOf,
} from "../../session/explanations";
import type { Direction } from "../../state/explain";
import { isComputed } from "../../state/source";
import type { Cell, Problem } from "../../state/store";

export interface Asked<Answer> {
  readonly answer: Answer | null;
  readonly problem: Problem | null;
}

/** `rest`: milliseconds before it is asked for. */
export function useExplanation(cell: Cell | null, direction: Direction, rest = 0): Asked<Explanation> {
  const key = cell && isComputed(cell) ? explanationKey(cell, direction) : "";
  return useAnswer(
    key,
    () => (cell ? knownExplanation(cell, direction) : undefined),
    (signal) => explain(cell!, direction, signal),
    rest,
  );
}

export function useBeside(left: Cell, right: Cell): Asked<Beside> {
  const key = placeOf(left)?.kind === "runs" ? besideKey(left, right) : "";
  return useAnswer(
    key,
    () => knownComparison(left, right),
    (signal) => compareCells(left, right, signal),
  );
}

/** An answer under a key, an empty one meaning that there is nothing to ask. */
function useAnswer<Answer>(
  key: string,
  known: () => Answer | undefined,
  ask: (signal: AbortSignal) => Promise<Answer>,
  rest = 0,
): Asked<Answer> {
  const come = useSignal<({ key: string } & Asked<Answer>) | null>(null);
  useEffect(() => {
    if (key === "") return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        come.value = { key, answer: await ask(abort.signal), problem: null };
      } catch (error) {
        if (error instanceof ApiError) come.value = { key, answer: null, problem: error };
        else if (!(error instanceof DOMException)) throw error;
      }
    }, rest);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  const here = key === "" ? undefined : known();
  if (here !== undefined) return { answer: here, problem: null };
  return come.value?.key === key ? come.value : { answer: null, problem: null };
}
