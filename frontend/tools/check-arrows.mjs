// Checks that imports run one way: panels, lessons -> scene -> layout -> graph, and panels -> find -> layout. `state` may be read by all of
// them; `net` only by state, panels and main. Prints each import that runs against the arrows and then fails: they
// keep the layout testable without three.js, and the scene usable without the panels.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

// Part of the front end -> the parts that it may import, beside its own and what is not listed here
// (shared helpers, which in turn may import none of these). `main` may import everything.
const may = {
  graph: [],
  net: ["graph"],
  state: ["graph", "net"],
  layout: ["graph", "state"],
  scene: ["layout", "graph", "state"],
  session: ["scene", "layout", "graph", "state", "net"],
  find: ["layout", "graph", "state", "net"],
  lessons: ["scene", "layout", "graph", "state"],
  panels: ["session", "find", "lessons", "scene", "layout", "graph", "state", "net"],
  pages: ["state"],
};
const packages = { three: ["scene"] };

const importing =
  /(?:^|\n)\s*(?:import|export)\s[^;"']*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|(?:^|\n)\s*import\s*["']([^"']+)["']/g;

const partOf = (path) =>
  relative(root, path)
    .split(sep)[0]
    .replace(/\.tsx?$/, "");

const wrong = [];
for (const entry of readdirSync(root, { recursive: true })) {
  if (!/\.tsx?$/.test(entry) || /\.test\.tsx?$/.test(entry)) continue;
  const file = join(root, entry);
  const part = partOf(file);
  if (part === "main") continue;
  for (const match of readFileSync(file, "utf8").matchAll(importing)) {
    const name = match[1] ?? match[2] ?? match[3];
    if (name.startsWith(".")) {
      const target = partOf(resolve(dirname(file), name));
      const allowed = may[part] ?? [];
      if (target !== part && target in may && !allowed.includes(target)) wrong.push([entry, name]);
      if (target === "main") wrong.push([entry, name]);
    } else {
      const home = packages[name.split("/")[0]];
      if (home && part in may && !home.includes(part)) wrong.push([entry, name]);
    }
  }
}
for (const [file, name] of wrong)
  console.error(`src/${file} imports "${name}": against the arrows of tools/check-arrows.mjs`);
if (wrong.length > 0) process.exit(1);
