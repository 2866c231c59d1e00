// Runs before the first paint, so that a dark page never flashes light. The same key as frontend/src/theme.ts.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("atlas-theme");
  } catch {
    // Storage is forbidden here: the system decides.
  }
  document.documentElement.dataset.theme =
    chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
