/** What the layout on the map was made for: a new model is shown whole, and the same layout is not made twice. */

import type { HeadArrangement } from "../layout/head-arrangement";

export interface LaidOut {
  readonly model: string;
  /** Positions that the plates have room for. */
  readonly capacity: { readonly target: number; readonly source: number };
  readonly heads: HeadArrangement;
}

/** Whether two layouts show the same plates in the same arrangement, whatever room they have. */
export const samePicture = (one: LaidOut, other: LaidOut | null): boolean =>
  one.model === other?.model && one.heads === other.heads;

/** Whether two layouts are the same in all. */
export const sameLayout = (one: LaidOut, other: LaidOut | null): boolean =>
  samePicture(one, other) &&
  one.capacity.target === other?.capacity.target &&
  one.capacity.source === other.capacity.source;
