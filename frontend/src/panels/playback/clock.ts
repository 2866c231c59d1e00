/** A clock of the display's frames. However often and from wherever it is woken, it asks for one frame at a time: two
 *  requests a frame would be four in the next one, and the page would never answer again. */

import { atFrame } from "../../frames";

export interface Clock {
  /** Runs from the next frame on, unless it runs already. */
  wake(): void;
  stop(): void;
}

/** Longest step in seconds: a page that was hidden does not jump ahead. */
const LONGEST = 0.1;

/** `tick` is called with the seconds since the frame before, and with the time in milliseconds; it returns whether the
 *  clock is to run on. What it changes may wake the clock: that asks for nothing more. */
export function makeClock(tick: (seconds: number, now: number) => boolean): Clock {
  let frame: (() => void) | null = null;
  let last = 0;
  const onFrame = (now: number): void => {
    const seconds = Math.min(LONGEST, Math.max(0, now - last) / 1000);
    last = now;
    const asked = frame;
    const goesOn = tick(seconds, now);
    // Stopped, perhaps woken again as well, by what it has changed.
    if (frame !== asked) return;
    frame = goesOn ? atFrame("time", onFrame) : null;
  };
  return {
    wake() {
      if (frame !== null) return;
      last = performance.now();
      frame = atFrame("time", onFrame);
    },
    stop() {
      frame?.();
      frame = null;
    },
  };
}
