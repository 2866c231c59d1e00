/** How the page stands around the map: which panels are shown, what a phone shows, and whether the map is presented. */

import { signal } from "@preact/signals";

/** A phone shows one of these at a time; flat views lead. */
export type PhoneView = "text" | "reading" | "map";
export const phoneView = signal<PhoneView>("text");

/** Whether the text on the left and the reading on the right are there; a window with little room has one of them. */
export const leftShown = signal(true);
export const rightShown = signal(true);
/** A window of a desktop with little room, as one at 200 % has. */
export const crowded = signal(false);

/** The map alone, with larger words: for a wall. */
export const presenting = signal(false);

/** Shows or hides a side; where there is room for one, the other gives way. */
export function toggleSide(side: "left" | "right", shown?: boolean): void {
  const [own, other] = side === "left" ? [leftShown, rightShown] : [rightShown, leftShown];
  own.value = shown ?? !own.value;
  if (own.value && crowded.value) other.value = false;
}
