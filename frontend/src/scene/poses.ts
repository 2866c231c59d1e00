/** How plates go from where they stand to where they are to stand: they glide there together, in a moment. Pure. */

import type { PlatePose } from "./types";

export type Poses = ReadonlyMap<number, PlatePose>;

/** Milliseconds of the way. */
export const GLIDE = 480;

const PLAIN = { offset: [0, 0, 0], dim: 0 } as const;

/** Whether any plate has a way to go, its dimming apart: without motion there is nothing to glide. */
export function moves(from: Poses, to: Poses): boolean {
  for (const id of new Set([...from.keys(), ...to.keys()])) {
    const [before, after] = [from.get(id)?.offset ?? PLAIN.offset, to.get(id)?.offset ?? PLAIN.offset];
    if (before.some((value, axis) => value !== after[axis])) return true;
  }
  return false;
}

/** How plates stand after a share of the way, from 0 to 1. Names are the new ones from the start. */
export function posesBetween(from: Poses, to: Poses, share: number): Poses {
  if (share >= 1) return to;
  const way = share * share * (3 - 2 * share);
  const mix = (before: number, after: number): number => before + (after - before) * way;
  const poses = new Map<number, PlatePose>();
  for (const id of new Set([...from.keys(), ...to.keys()])) {
    const [before, after] = [from.get(id), to.get(id)];
    const [start, stop] = [before?.offset ?? PLAIN.offset, after?.offset ?? PLAIN.offset];
    const label = after?.label ?? before?.label;
    poses.set(id, {
      offset: [mix(start[0], stop[0]), mix(start[1], stop[1]), mix(start[2], stop[2])],
      dim: mix(before?.dim ?? PLAIN.dim, after?.dim ?? PLAIN.dim),
      ...(label === undefined ? {} : { label }),
    });
  }
  return poses;
}
