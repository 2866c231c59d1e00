// Checks how the front end is built: imports run one way (types counted), no import comes back in a circle, every part
// has a room, and files, functions and components stay readable. Prints what is wrong, a line each, and then fails.
//
//   node tools/check-house.mjs
//
// A doc comment begins with a verb or with the noun that it is about, never with What, Whether, Where, … (WORDS), as
// tests/unit/test_language.py holds for Python.
//
// The arrows keep the layout testable without three.js, the scene usable without the panels, and each room of the
// panels readable without the others.

import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "rolldown/utils";
import { filesEnding, may, mayUse, nodes, roomOf, root } from "./rooms.mjs";

const LINES = { file: 400, function: 60, component: 120 };

const WORDS = /^\/\*\*[\s*]*(What|Whatever|Whether|Where|Which|Who|Whose|Of|How)\b/;
// Rooms whose comments nobody has gone through yet; whoever has done one takes it off the list.
const UNREAD = [
  "layout",
  "panels/explain",
  "panels/guide",
  "panels/playback",
  "panels/shared",
  "playback",
  "scene",
  "session",
  "state",
];

const packages = { three: ["scene"] };

const wrong = [];
const files = filesEnding(".ts", ".tsx");
const known = new Map(files.map((file) => [file.replace(/(\.d)?\.tsx?$/, ""), file]));

const imports = new Map();
for (const file of files) {
  const text = readFileSync(join(root, file), "utf8");
  const { program, comments, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const lineOf = lineCounter(text);
  if (!file.endsWith(".gen.ts")) checkComments(file, comments, lineOf);
  const tree = [...nodes(program)];
  if (!file.includes(".test.")) {
    checkImports(file, tree);
    checkLength(file, tree, lineOf);
  }
  const lines = text.split("\n").length - 1;
  // What a tool writes is data.
  if (!file.endsWith(".gen.ts") && lines > LINES.file)
    wrong.push(`${file} has ${lines} lines, more than ${LINES.file}`);
}

function checkComments(file, comments, lineOf) {
  if (UNREAD.includes(roomOf(file))) return;
  for (const { type, value, start } of comments) {
    const word = type === "Block" && WORDS.exec(`/*${value}`)?.[1];
    if (word) wrong.push(`${file}:${lineOf(start) + 1} a doc comment begins with ${word}: begin with a verb`);
  }
}

function lineCounter(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low;
  };
}

function checkImports(file, tree) {
  const found = new Set();
  for (const { type, source } of tree) {
    if (!/^(Import|Export)/.test(type) || typeof source?.value !== "string") continue;
    const name = source.value;
    if (!name.startsWith(".")) {
      const rooms = packages[name.split("/")[0]];
      const room = roomOf(file).split("/")[0];
      if (rooms && room in may && !rooms.includes(room)) wrong.push(`${file} imports ${name}`);
      continue;
    }
    const target = relative(root, resolve(root, dirname(file), name)).replaceAll("\\", "/");
    const to = known.get(target) ?? known.get(`${target}/index`);
    if (to === undefined) continue; // a style sheet
    found.add(to);
    const [from, into] = [roomOf(file), roomOf(to)];
    if (from === "shell" || (from === "" && /^(main|assemble|pages)\./.test(file)) || into === "") continue;
    if (!mayUse(from, into)) wrong.push(`${file} imports ${to}: against the arrows`);
  }
  imports.set(file, found);
}

function checkLength(file, tree, lineOf) {
  const named = new Map();
  for (const node of tree) {
    if (node.type === "VariableDeclarator" && node.init) named.set(node.init, node.id.name);
    if (/^(MethodDefinition|PropertyDefinition|Property)$/.test(node.type))
      named.set(node.value, node.key.name);
  }
  for (const node of tree) {
    if (!/Function/.test(node.type) || !node.body) continue;
    const lines = lineOf(node.end) - lineOf(node.start) + 1;
    const name = node.id?.name ?? named.get(node) ?? "a function";
    const kind = file.endsWith(".tsx") && /^[A-Z]/.test(name) ? "component" : "function";
    const isInside = name === "a function";
    if (!isInside && lines > LINES[kind])
      wrong.push(`${file}:${lineOf(node.start) + 1} ${name} has ${lines} lines, more than ${LINES[kind]}`);
  }
}

/** Sets of files that import each other, round about: strongly connected components (Tarjan 1972). */
function circles() {
  const [index, low, stack, found] = [new Map(), new Map(), [], []];
  const visit = (file) => {
    index.set(file, index.size);
    low.set(file, index.get(file));
    stack.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file), low.get(next)));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle);
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return found;
}

for (const circle of circles()) wrong.push(`a circle of ${circle.length} files: ${circle.sort().join(", ")}`);
for (const line of wrong) console.error(`src/${line}`);
if (wrong.length > 0) process.exit(1);
