/** Builds the page of the made-up graph, for `tests/browser/test_made_up.py` alone: nothing of it is in the product. */

import { defineConfig } from "vite";

const here = new URL(".", import.meta.url).pathname;

export default defineConfig({
  root: here,
  base: "./",
  logLevel: "warn",
  // No chart is drawn: without plotly's bundle the build takes a fraction of its time.
  resolve: { alias: { "plotly.js-cartesian-dist-min": `${here}no-charts.ts` } },
  build: {
    target: "es2022",
    minify: false,
    chunkSizeWarningLimit: 4000,
    emptyOutDir: true,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
