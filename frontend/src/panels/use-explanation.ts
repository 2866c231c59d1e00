/** The explanation of a cell for a panel: asked for once the pointer rests, given up when it moves on. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Explanation } from "../net/explain";
import { ApiError } from "../net/rest";
import { explain, explanationKey, knownExplanation, placeOf } from "../session/explanations";
import type { Cell, Problem } from "../state";
import type { Direction } from "../state/explain";

export interface Explained {
  readonly answer: Explanation | null;
  readonly problem: Problem | null;
}

const NOTHING: Explained = { answer: null, problem: null };

/** `rest`: milliseconds before it is asked for. */
export function useExplanation(cell: Cell | null, direction: Direction, rest = 0): Explained {
  const come = useSignal<{ key: string; explained: Explained } | null>(null);
  const key = cell && placeOf(cell) ? explanationKey(cell, direction) : "";
  useEffect(() => {
    if (!cell || key === "") return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const answer = await explain(cell, direction, abort.signal);
        come.value = { key, explained: { answer, problem: null } };
      } catch (error) {
        if (error instanceof ApiError) come.value = { key, explained: { answer: null, problem: error } };
        else if (!(error instanceof DOMException)) throw error;
      }
    }, rest);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  if (!cell || key === "") return NOTHING;
  const known = knownExplanation(cell, direction);
  if (known) return { answer: known, problem: null };
  return come.value?.key === key ? come.value.explained : NOTHING;
}
