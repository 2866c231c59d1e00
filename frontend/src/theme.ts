/** Light or dark: the system's wish until the reader chooses, then theirs, remembered. */

import { signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEY = "atlas-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const remembered = (): Theme | null => {
  const word = window.localStorage.getItem(KEY);
  return word === "light" || word === "dark" ? word : null;
};

export const theme = signal<Theme>(remembered() ?? (system.matches ? "dark" : "light"));

theme.subscribe((now) => {
  document.documentElement.dataset.theme = now;
});
system.addEventListener("change", () => {
  if (!remembered()) theme.value = system.matches ? "dark" : "light";
});

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  window.localStorage.setItem(KEY, theme.value);
}
