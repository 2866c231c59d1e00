/** How the map glides on after it was let go: at the speed of the hand's last moment, slower and slower. Pure. */

/** A point of a drag: CSS pixels, and milliseconds. */
export interface Trace {
  readonly x: number;
  readonly y: number;
  readonly time: number;
}

/** CSS pixels a second. */
export type Speed = readonly [number, number];

/** The hand's last moment, in milliseconds; a hand that rested so long before it let go means to stop. */
const MOMENT = 90;
const SLOWEST = 80;
const FASTEST = 4000;
/** Seconds after which a speed is down to a third. */
const DECAY = 0.3;
/** Below this many pixels a second nothing is seen to move. */
const STILL = 12;

/** The speed at which a drag was let go at `now`; null where it was held still. */
export function releaseSpeed(traces: readonly Trace[], now: number): Speed | null {
  const last = traces.at(-1);
  if (!last || now - last.time > MOMENT) return null;
  const recent = traces.filter(({ time }) => now - time <= MOMENT);
  // A page that is slow to draw hears of the hand less often than that.
  const first = recent.length > 1 ? recent[0] : traces.at(-2);
  if (!first || last.time - first.time < 8) return null;
  const seconds = (last.time - first.time) / 1000;
  const [x, y] = [(last.x - first.x) / seconds, (last.y - first.y) / seconds];
  const speed = Math.hypot(x, y);
  if (speed < SLOWEST) return null;
  const bound = Math.min(1, FASTEST / speed);
  return [x * bound, y * bound];
}

/** How far a glide goes in so many seconds, and its speed then; null when it has come to rest. */
export function glide(speed: Speed, seconds: number): { readonly way: Speed; readonly speed: Speed | null } {
  const left = Math.exp(-seconds / DECAY);
  const way = DECAY * (1 - left);
  const next: Speed = [speed[0] * left, speed[1] * left];
  return { way: [speed[0] * way, speed[1] * way], speed: Math.hypot(...next) < STILL ? null : next };
}
