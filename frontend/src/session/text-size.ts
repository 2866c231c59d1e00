/** The size of words follows the window and what the reader chose, which the browser remembers. */

import { effect } from "@preact/signals";
import { chosenTextScale, textScale, windowHeight } from "../state/text-scale";

const CHOSEN = "atlas-text-scale";

/** Brings back what was chosen, and from now on keeps it, follows the window, and tells the styles. */
export function followTextSize(): void {
  const chosen = Number(window.localStorage.getItem(CHOSEN) ?? Number.NaN);
  if (Number.isFinite(chosen)) chosenTextScale.value = chosen;
  const measure = () => {
    windowHeight.value = window.innerHeight;
  };
  measure();
  window.addEventListener("resize", measure);
  effect(() => {
    if (chosenTextScale.value === null) window.localStorage.removeItem(CHOSEN);
    else window.localStorage.setItem(CHOSEN, `${chosenTextScale.value}`);
  });
  effect(() => document.documentElement.style.setProperty("--text-scale", `${textScale.value}`));
}
