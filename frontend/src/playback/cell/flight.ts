/** What flies at a moment of a script: cells on their way from one turning point to the next, toward the viewer and
 *  back. */

import type { Point } from "../../layout/view";
import type { FlightPath, Script } from "./script";

/** A flying cell at one moment. `scaleOf` names the tensor whose colours it has. */
export interface FlyingCell {
  readonly position: Point;
  readonly size: number;
  readonly value: number | null;
  readonly scaleOf: string;
  /** From 0, not there, to 1. */
  readonly strength: number;
  /** An operator or a name beside it; empty for none. */
  readonly label: string;
  /** 1 where it stands still, 0 on its way: what is written beside it would run over the others. */
  readonly settled: number;
}

/** What flies at a time from 0 to 1. */
export function perform(script: Script, time: number): readonly FlyingCell[] {
  return script.paths.flatMap((path) => moment(path, time) ?? []);
}

function moment({ keys, scaleOf, quiet }: FlightPath, time: number): FlyingCell | undefined {
  const next = keys.findIndex(({ at }) => at > time);
  const before = next < 0 ? keys.at(-1) : keys[next - 1];
  if (!before) return undefined;
  const after = next < 0 ? before : keys[next]!;
  const way = after.at > before.at ? eased((time - before.at) / (after.at - before.at)) : 1;
  const strength = mix(before.strength, after.strength, way);
  if (strength <= 0.01) return undefined;
  return {
    position: flight(before.position, after.position, way),
    size: mix(before.size, after.size, way),
    value: before.value,
    scaleOf: before.scaleOf ?? scaleOf,
    strength,
    label: before.label,
    settled: quiet ? 0 : settled(before.position, after.position, way),
  };
}

/** The first and the last of a way are as good as standing still. */
function settled(from: Point, to: Point, way: number): number {
  if (from.every((value, axis) => value === to[axis])) return 1;
  return Math.max(0, 1 - Math.min(way, 1 - way) * 12);
}

const eased = (t: number): number => t * t * (3 - 2 * t);
const mix = (from: number, to: number, way: number): number => from + (to - from) * way;

/** Toward the viewer and back on the way, so that cells fly over the plates between. */
function flight(from: Point, to: Point, way: number): Point {
  const far = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const lift = far * 0.12 * 4 * way * (1 - way);
  return [mix(from[0], to[0], way), mix(from[1], to[1], way), mix(from[2], to[2], way) + lift];
}
