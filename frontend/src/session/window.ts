/** The page follows its window: one that gets little room keeps one side panel, a phone goes to the map with whoever
 *  flies or steps there, and leaving full screen ends a presentation. */

import { effect } from "@preact/signals";
import type { FlightPort } from "../scene/ports";
import type { Address } from "../state/address";
import { passing } from "../state/pass";
import { crowded, leftShown, phoneView, presenting, rightShown } from "../state/shell";
import { chosenTextScale, LARGEST_TEXT, textScale } from "../state/text-scale";
import { still } from "../state/timeline";

/** The styles speak of the same window (shell/page.css). */
const CROWDED = "(max-width: 860px)";
/** How much larger words are on a wall, unless the reader has chosen a size. */
const ON_A_WALL = 1.4;

export function followWindow(map: FlightPort | null, { step, selected, panel }: Address): void {
  phoneView.value = step !== undefined || selected ? "map" : panel === undefined ? "text" : "reading";
  const narrow = window.matchMedia(CROWDED);
  const measure = () => {
    crowded.value = narrow.matches;
    leftShown.value = !narrow.matches;
    rightShown.value = true;
  };
  measure();
  narrow.addEventListener("change", measure);
  map?.onFlight(() => {
    phoneView.value = "map";
  });
  effect(() => {
    if (passing.value !== null) phoneView.value = "map";
  });
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  still.value = calm.matches;
  calm.addEventListener("change", () => {
    still.value = calm.matches;
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) present(false);
  });
}

let sizeBefore: number | null = null;

/** Gives the map the whole screen, or takes it back. */
export function present(on: boolean): void {
  if (presenting.value === on) return;
  presenting.value = on;
  if (on) {
    sizeBefore = chosenTextScale.value;
    if (sizeBefore === null) chosenTextScale.value = Math.min(LARGEST_TEXT, ON_A_WALL * textScale.value);
    // A browser may refuse the screen; the window is the map's all the same.
    void document.documentElement.requestFullscreen?.().catch(() => undefined);
  } else {
    if (sizeBefore === null) chosenTextScale.value = null;
    if (document.fullscreenElement) void document.exitFullscreen();
  }
}
