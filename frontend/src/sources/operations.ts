/** The operations of a model on the server in words: fetched by the stretch, once, and kept while the model is shown. */

import { signal } from "@preact/signals";
import { getOperations, STRETCH, type WordedOperation } from "../net/ops";
import { ApiError } from "../net/rest";
import type { OperationInWords } from "./port";

interface Stretch {
  readonly operations: readonly WordedOperation[];
  readonly problem: OperationInWords["problem"];
}

interface Known {
  readonly model: string;
  readonly stretches: ReadonlyMap<number, Stretch>;
}

/** Milliseconds until a stretch that was refused may be asked for again: that it was refused shows it anew. */
const AGAIN = 5000;

const known = signal<Known>({ model: "", stretches: new Map() });
const asked = new Set<string>();

/** An operation in words, or why there are none; neither while they are on their way. Asks for them, and for those
 *  that follow. */
export function operationInWords(model: string, number: number): OperationInWords {
  const first = number - (number % STRETCH);
  ask(model, first);
  if (number - first > STRETCH / 2) ask(model, first + STRETCH);
  const found = known.value.model === model ? known.value.stretches.get(first) : undefined;
  return { words: found?.operations[number - first] ?? null, problem: found?.problem ?? null };
}

function ask(model: string, stretch: number): void {
  const key = `${model} ${stretch}`;
  if (asked.has(key)) return;
  if (known.peek().model !== model) {
    asked.clear();
    known.value = { model, stretches: new Map() };
  }
  asked.add(key);
  void getOperations(model, stretch).then(
    (operations) => keep(model, stretch, { operations, problem: null }),
    (error) => {
      if (!(error instanceof ApiError)) throw error;
      window.setTimeout(() => asked.delete(key), AGAIN);
      keep(model, stretch, { operations: [], problem: { message: error.message, hint: error.hint } });
    },
  );
}

function keep(model: string, stretch: number, found: Stretch): void {
  const { model: now, stretches } = known.peek();
  if (now === model) known.value = { model, stretches: new Map(stretches).set(stretch, found) };
}
