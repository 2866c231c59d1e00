/** The speeds at which the writer can write, and how they are said. */

import { computed } from "@preact/signals";
import { codec } from "./codec";
import { writingSpeed } from "./store";

/** Tokens a second; null is as fast as it goes. */
export const WRITING_SPEEDS: readonly (number | null)[] = [1, 2, 3, 5, 8, 12, 20, null];

export function speedInWords(speed: number | null): string {
  if (speed === null) return "as fast as it goes";
  return speed === 1 ? "1 token/s" : `${speed} tokens/s`;
}

/** The speed that an address or the browser's memory says; undefined for anything that is none. */
export function readSpeed(text: string | null): number | null | undefined {
  if (text === "fastest") return null;
  return WRITING_SPEEDS.find((speed) => speed !== null && `${speed}` === text);
}

export const writeSpeed = (speed: number | null): string => (speed === null ? "fastest" : `${speed}`);

/** Nothing is said of as fast as it goes. */
export const speedCodec = codec({
  key: "speed",
  where: "query",
  read: (from): number | undefined => readSpeed(from.get("speed")) ?? undefined,
  write: (speed, into) => into.set("speed", writeSpeed(speed)),
  signal: computed(() => writingSpeed.value ?? undefined),
  history: "replace",
  take: {
    when: "before",
    onRetrace: false,
    into: (speed) => {
      if (speed !== undefined) writingSpeed.value = speed;
    },
  },
});
