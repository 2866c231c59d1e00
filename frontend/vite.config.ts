import { defineConfig } from "vitest/config";

const server = process.env.ATLAS_DEV_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/static/dist/",
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: true,
    assetsInlineLimit: 0, // the pages' policy takes fonts from this server only, not out of a style sheet
    target: "es2022",
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 1600, // plotly's bundle, which is loaded only when a chart is opened
    rolldownOptions: { input: ["src/main.ts", "src/pages.ts"], checks: { pluginTimings: false } },
  },
  server: {
    host: "127.0.0.1",
    strictPort: true,
    // Everything but this folder's own modules is the Python server's: pages, API, stream, bundled files.
    proxy: { "^/(?!static/dist/)": { target: server, ws: true } },
  },
  // Without a worker of its own for each file: in half the time. No test leaves anything behind.
  // Two seconds of work may take twenty where many share the cores.
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"], isolate: false, testTimeout: 60_000 },
});
