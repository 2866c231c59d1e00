// Runs before the first paint, so that a dark page never flashes light. The same key as frontend/src/theme.ts.
document.documentElement.dataset.theme =
  localStorage.getItem("atlas-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
