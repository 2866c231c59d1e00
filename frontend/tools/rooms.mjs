// The rooms of the front end, and which of them a room may use: its imports, and the classes that it puts on elements.
//
//   mayUse("panels/lenses", "panels/explain")   // true
//   mayUse("panels/explain", "panels/lenses")   // false

import { readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

const below = ["graph", "net", "layout", "playback", "sources", "state"];
const panel = [...below, "find", "scene", "session", "panels/shared"];
// Room -> the rooms that it may use beside its own. `shell` may use all. What lies in no room (format.ts, …, and the
// shapes of what the server says) is for all, and may use no room; `main`, `assemble` and `pages` may use everything.
export const may = {
  graph: [],
  net: ["graph"],
  sources: ["graph", "net"],
  state: ["graph", "net", "layout", "playback", "sources"],
  layout: ["graph"],
  playback: ["layout", "graph"],
  find: ["layout", "graph", "state", "net"],
  scene: ["playback", "layout", "graph", "sources", "state"],
  session: ["scene", "playback", "layout", "graph", "sources", "state", "net"],
  "panels/shared": panel,
  "panels/prompt": panel,
  "panels/compare": panel,
  "panels/search": panel,
  "panels/playback": panel,
  "panels/guide": [...panel, "panels/playback"],
  "panels/explain": [...panel, "panels/compare", "panels/guide", "panels/playback", "panels/search"],
  "panels/lessons": [...panel, "panels/playback"],
  "panels/outline": [...panel, "panels/explain"],
  "panels/map": [...panel, "panels/explain"],
  "panels/lenses": [...panel, "panels/explain"],
  "panels/attention": [...panel, "panels/lenses"],
};

/** The files of src/ that end in one of these, by paths with forward slashes. */
export function filesEnding(...ends) {
  return readdirSync(root, { recursive: true })
    .map((entry) => entry.replaceAll("\\", "/"))
    .filter((entry) => ends.some((end) => entry.endsWith(end)));
}

export function roomOf(file) {
  if (file === "net/contract.gen.ts") return "";
  const [first, second] = file.split("/");
  if (first === "panels") return `panels/${second}`;
  return file.includes("/") ? first : "";
}

export function mayUse(from, room) {
  return from === room || from === "shell" || (may[from] ?? []).includes(room);
}

/** Every node of a syntax tree. */
export function* nodes(node) {
  if (!node || typeof node !== "object") return;
  if (Array.isArray(node)) for (const each of node) yield* nodes(each);
  else {
    if (typeof node.type === "string") yield node;
    for (const [key, value] of Object.entries(node)) if (key !== "parent") yield* nodes(value);
  }
}
