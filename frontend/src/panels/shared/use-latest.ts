/** Fetching what follows a growing run: one call at a time for one place, again when the place has changed meanwhile;
 *  another place gives up what is on its way. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../../net/rest";
import type { Problem } from "../../state/store";

export interface Flow<T> {
  /** The last answer, and the place it is of. */
  readonly value: T | null;
  readonly place: string | null;
  readonly problem: Problem | null;
}

interface Work {
  readonly abort: AbortController;
  /** What is to be done when the call that is out has come back. */
  queue: (() => void)[];
  busy: boolean;
}

/** `place` null waits. `version` says when the same place has something new. */
export function useFlow<T>(
  place: string | null,
  version: string,
  load: (signal: AbortSignal) => Promise<T>,
): Flow<T> {
  const flow = useSignal<Flow<T>>({ value: null, place: null, problem: null });
  const work = useRef<Work | null>(null);
  useEffect(() => {
    if (place === null) return;
    const own: Work = { abort: new AbortController(), queue: [], busy: false };
    work.current = own;
    return () => own.abort.abort();
  }, [place]);
  useEffect(() => {
    const own = work.current;
    if (place === null || !own) return;
    const go = async () => {
      own.busy = true;
      const next = await answer(place, load, own.abort.signal, flow.peek());
      if (own.abort.signal.aborted) return;
      flow.value = next;
      own.busy = false;
      own.queue.pop()?.();
    };
    if (own.busy) own.queue = [() => void go()];
    else void go();
  }, [place, version]);
  return flow.value;
}

async function answer<T>(
  place: string,
  load: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  before: Flow<T>,
): Promise<Flow<T>> {
  try {
    return { value: await load(signal), place, problem: null };
  } catch (error) {
    if (signal.aborted) return before;
    if (!(error instanceof ApiError)) throw error;
    return { ...before, problem: { message: error.message, hint: error.hint } };
  }
}
