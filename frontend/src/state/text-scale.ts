/** How large the words of the map and the page are: what the reader chose, or else what the window's height asks for,
 *  since a tall window is usually one on a wall. Panels read it as `var(--text-scale)` (session/text-size.ts). */

import { computed, signal } from "@preact/signals";

export const LEAST_TEXT = 1;
export const LARGEST_TEXT = 2;

/** From 1 to 2; null follows the window. */
export const chosenTextScale = signal<number | null>(null);
/** Of the window, in CSS pixels. */
export const windowHeight = signal(800);

/** What suits a window of that height: 1 up to 900 pixels, 1.5 at 1440, at most 2. */
export function scaleOfWindow(height: number): number {
  return held(1 + (height - 900) / 1080);
}

export const textScale = computed(() => held(chosenTextScale.value ?? scaleOfWindow(windowHeight.value)));

const held = (scale: number): number => Math.min(LARGEST_TEXT, Math.max(LEAST_TEXT, scale));
