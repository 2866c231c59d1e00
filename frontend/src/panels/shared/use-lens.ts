/** Fetching what a lens shows: once a moment has passed, the newest wish only, the last answer kept meanwhile. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError } from "../../net/rest";
import type { Problem } from "../../state/store";

const DELAY = 80;

export interface Answered<T> {
  readonly value: T | null;
  readonly problem: Problem | null;
}

/** Loads whenever `wanted` changes; null waits, and keeps what is there. */
export function useAnswer<T>(wanted: string | null, load: (signal: AbortSignal) => Promise<T>): Answered<T> {
  const value = useSignal<T | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    if (wanted === null) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const come = await load(abort.signal);
        if (abort.signal.aborted) return;
        value.value = come;
        problem.value = null;
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        value.value = null;
        problem.value = { message: error.message, hint: error.hint };
      }
    }, DELAY);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [wanted]);
  return { value: value.value, problem: problem.value };
}
