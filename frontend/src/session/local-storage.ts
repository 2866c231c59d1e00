/** What a browser remembers from visit to visit: which lenses were open, how wide the dock was, whether the overview
 *  is wanted, and how fast the writer writes. */

import { effect } from "@preact/signals";
import { dockWidth, openLenses, readLenses, writeLenses } from "../state/lenses";
import { doneSteps } from "../state/lesson";
import { overviewShown } from "../state/navigation";
import { readSpeed, writeSpeed } from "../state/speed";
import { writingSpeed } from "../state/store";

const LENSES = "atlas-lenses";
const WIDTH = "atlas-dock";
const OVERVIEW = "atlas-overview";
const SPEED = "atlas-writing-speed";
const LESSONS = "atlas-lessons-done";

/** Brings back which steps of lessons have been done, and remembers from now on. */
export function rememberLessons(): void {
  doneSteps.value = new Set((window.localStorage.getItem(LESSONS) ?? "").split(" ").filter(Boolean));
  effect(() => window.localStorage.setItem(LESSONS, [...doneSteps.value].join(" ")));
}

export function rememberSpeed(): void {
  writingSpeed.value = readSpeed(window.localStorage.getItem(SPEED)) ?? null;
  effect(() => {
    if (writingSpeed.value === null) window.localStorage.removeItem(SPEED);
    else window.localStorage.setItem(SPEED, writeSpeed(writingSpeed.value));
  });
}

export function rememberOverview(): void {
  overviewShown.value = window.localStorage.getItem(OVERVIEW) !== "hidden";
  effect(() => {
    if (overviewShown.value) window.localStorage.removeItem(OVERVIEW);
    else window.localStorage.setItem(OVERVIEW, "hidden");
  });
}

/** Brings back what is remembered, and remembers from now on. Call before the address is followed: it has precedence. */
export function rememberDock(): void {
  const open = readLenses(window.localStorage.getItem(LENSES));
  if (open) openLenses.value = open;
  const width = Number(window.localStorage.getItem(WIDTH));
  if (width >= 200) dockWidth.value = width;
  effect(() => {
    // What a lens was asked may be a piece of the reader's text; only what was open is kept.
    const names = openLenses.value.map((lens) => ({ ...lens, query: {} }));
    window.localStorage.setItem(LENSES, writeLenses(names));
  });
  effect(() => {
    if (dockWidth.value === null) window.localStorage.removeItem(WIDTH);
    else window.localStorage.setItem(WIDTH, `${dockWidth.value}`);
  });
}
