/** Where arcs meet the card at the pointer. Noted when the card is placed: asking the page in every frame where it
 *  stands would make the page lay itself out for the answer. */

import type { Corner } from "../scene";

let corner: Corner | null = null;

/** In the map's own pixels; null while there is no card. */
export const cardCorner = (): Corner | null => corner;

export function noteCardCorner(now: Corner | null): void {
  corner = now;
}
