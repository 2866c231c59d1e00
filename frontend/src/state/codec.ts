/** How one part of the page's state is written into the address and read from it. A feature declares its codecs beside
 *  its state, and state/address.ts lists them: reading, writing, the history and the effect that follows the store all
 *  go by that list. */

import type { ReadonlySignal } from "@preact/signals";

export interface Codec<Key extends string, Value> {
  /** The name of the part in an `Address`. */
  readonly key: Key;
  /** The fragment holds what may be private, such as texts: a browser never sends it to a server. */
  readonly where: "query" | "fragment";
  /** Reads the part; undefined where nothing is said, or nothing that makes sense. */
  read(from: URLSearchParams): Value | undefined;
  write(value: Value, into: URLSearchParams): void;
  /** The part as the page shows it now; undefined where it need not be said. */
  readonly signal: ReadonlySignal<Value | undefined>;
  /** `push` for what tells one reading from another: a change makes a new entry of the history. */
  readonly history: "push" | "replace";
  /** Puts what an address says into the store, where that needs neither the map nor the server. */
  readonly take?: Take<Value>;
}

export interface Take<Value> {
  /** Before the model is opened, or when its graph is there. */
  readonly when: "before" | "after";
  /** Whether going back to an entry with the same reading takes it too. */
  readonly onRetrace: boolean;
  /** `gives` tells which other parts the address says. */
  into(value: Value | undefined, gives: (key: string) => boolean): void;
}

/** Infers the type of a codec from its parts. */
export const codec = <const Key extends string, Value>(parts: Codec<Key, Value>): Codec<Key, Value> => parts;

/** A codec's reader and writer for a text that stands as it is; an empty one is not written. */
export const plainText = (name: string) => ({
  read: (from: URLSearchParams): string | undefined => from.get(name) ?? undefined,
  write: (value: string, into: URLSearchParams): void => {
    if (value) into.set(name, value);
  },
});

/** Reads whole numbers joined by `_`; undefined where any is none. */
export function wholeNumbers(text: string | null): number[] | undefined {
  if (text === null || text === "") return undefined;
  const numbers = text.split("_").map(Number);
  return numbers.every((number) => Number.isInteger(number) && number >= 0) ? numbers : undefined;
}
