// Checks that the styles of a room stay in it. Prints what is wrong, a line each, and then fails.
//
//   node tools/check-styles.mjs
//
// The first class (or id) of a selector is a *name*, all others are its *parts*: in `.legend .of` the part `of` belongs to
// `legend`. Plain class names stay readable in the markup and in tests; these rules keep them from meeting by accident:
//
// - every selector of a room's sheet begins with a name, and one sheet alone declares a name;
// - a part is a common word (src/styles/), a name of the same room or of one that the room may use, or else a word of its
//   own, which is no name anywhere, and which no room that may stand inside this one puts on its elements;
// - an element has only classes of its own room, of rooms that it may use, and common words;
// - whatever is declared is used, and whatever is used is declared;
// - a sheet is imported once, by its own room.
//
// Plain elements under a name (`.lens h3`) are not looked at.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { transform } from "lightningcss";
import { parseSync } from "rolldown/utils";
import { filesEnding, mayUse, nodes, roomOf, root } from "./rooms.mjs";

const COMMON = "styles";
// Put on elements by what is no part of this repository (KaTeX, plotly.js), or by formulas of the server.
const FOREIGN = new Set(["katex", "operand", "js-plotly-plot"]);
// Said of an element beside its other classes, always as `.chip.on`: a word without rules of its own.
const STATES = new Set(["on"]);

const wrong = [];
const names = new Map(); // name -> sheet
const parts = new Map(); // part -> sheets that have it
const chains = []; // every selector: its sheet, its line, its name, its parts

for (const sheet of filesEnding(".css")) readSheet(sheet);
for (const chain of chains) checkParts(chain);
const said = new Map(); // word -> rooms in whose texts it stands
const worn = new Map(); // class -> files that put it on an element
const imported = new Map(); // sheet -> files that import it
for (const file of filesEnding(".ts", ".tsx")) if (!file.includes(".test.")) readModule(file);
checkUse();
checkNested();
checkImported();

for (const line of new Set(wrong)) console.error(`src/${line}`);
if (wrong.length > 0) process.exit(1);

function readSheet(sheet) {
  const style = ({ value }) => {
    for (const selector of value.selectors) {
      const found = classesOf(selector);
      const line = value.loc.line + 1;
      if (found.heads.length === 0 && roomOf(sheet) !== COMMON)
        wrong.push(`${sheet}:${line} a selector without a class: it belongs into ${COMMON}/`);
      for (const head of found.heads) declare(head, sheet, line);
      chains.push({ sheet, line, heads: found.heads, parts: found.parts });
      for (const part of found.parts) parts.set(part, (parts.get(part) ?? new Set()).add(sheet));
    }
  };
  transform({ filename: sheet, code: readFileSync(join(root, sheet)), visitor: { Rule: { style } } });
}

function declare(head, sheet, line) {
  const other = names.get(head);
  const bothCommon = other !== undefined && roomOf(other) === COMMON && roomOf(sheet) === COMMON;
  if (other !== undefined && other !== sheet && !bothCommon)
    wrong.push(`${sheet}:${line} declares ${head}, which ${other} declares`);
  else names.set(head, sheet);
}

/** The classes and ids of a selector: those that it begins with (several in `:where(.a, .b)`), and the others. */
function classesOf(selector) {
  const [heads, parts] = [[], []];
  const visit = (components, into) => {
    for (const one of components) {
      if (one.type === "class" || one.type === "id")
        (into ?? (heads.length > 0 ? parts : heads)).push(one.name);
      const within = one.selectors ?? [];
      const inHead = heads.length === 0 && into === undefined && one.kind !== "has" && one.kind !== "not";
      for (const each of within) visit(each, inHead ? heads : parts);
    }
  };
  visit(selector, undefined);
  return { heads, parts };
}

function checkParts({ sheet, line, heads, parts }) {
  if (heads.some((head) => FOREIGN.has(head))) return;
  for (const part of parts) {
    const owner = names.get(part);
    if (owner === undefined || FOREIGN.has(part)) continue;
    if (roomOf(owner) !== COMMON && !mayUse(roomOf(sheet), roomOf(owner)))
      wrong.push(`${sheet}:${line} ${part} is a name of ${owner}`);
  }
}

function readModule(file) {
  const { program } = parseSync(file, readFileSync(join(root, file), "utf8"));
  for (const node of nodes(program)) {
    if (
      node.type === "ImportDeclaration" &&
      node.source.value.endsWith(".css") &&
      node.source.value.startsWith(".")
    ) {
      const sheet = relative(root, resolve(root, dirname(file), node.source.value)).replaceAll("\\", "/");
      imported.set(sheet, [...(imported.get(sheet) ?? []), file]);
    }
    for (const text of textsOf(node))
      for (const word of text.split(/[^\w-]+/))
        said.set(word, (said.get(word) ?? new Set()).add(roomOf(file)));
    if (isClass(node))
      for (const word of wordsOf(node.value)) worn.set(word, (worn.get(word) ?? new Set()).add(file));
  }
}

function textsOf(node) {
  if (node.type === "Literal" && typeof node.value === "string") return [node.value];
  return node.type === "TemplateElement" ? [node.value.cooked] : [];
}

/** `class="…"` of an element, and `{ class: … }` for one that is made by hand. */
function isClass(node) {
  return /^(JSXAttribute|Property)$/.test(node.type) && (node.name?.name ?? node.key?.name) === "class";
}

/** The class names that an expression writes out in full. */
function wordsOf(node) {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string" ? node.value.split(" ").filter(Boolean) : [];
    case "JSXExpressionContainer":
      return wordsOf(node.expression);
    case "ConditionalExpression":
      return [...wordsOf(node.consequent), ...wordsOf(node.alternate)];
    case "TemplateLiteral": {
      // A word that an expression goes on, as in `tab-${name}`, is not written out.
      const text = node.quasis.map((quasi) => quasi.value.cooked).join("\0");
      return [
        ...text.split(" ").filter((word) => word && !word.includes("\0")),
        ...node.expressions.flatMap(wordsOf),
      ];
    }
    default:
      return [];
  }
}

/** Whether a room may use a class: as a common word, as one of its own, or as one of a room that it may use. */
function knows(room, word) {
  const sheets = [names.get(word), ...(parts.get(word) ?? [])].filter((sheet) => sheet !== undefined);
  return sheets.some((sheet) => roomOf(sheet) === COMMON || mayUse(room, roomOf(sheet)));
}

function checkUse() {
  for (const [word, files] of worn)
    for (const file of files) {
      const owner = names.get(word);
      if (!knows(roomOf(file), word))
        wrong.push(`${file} uses the class ${word}, which ${owner ?? "no sheet of its rooms"} declares`);
      else if (owner !== undefined && roomOf(owner) !== COMMON && !mayUse(roomOf(file), roomOf(owner)))
        wrong.push(`${file} uses the class ${word}, a name of ${owner}`);
    }
  const pages = pageWords();
  for (const { sheet, line, heads, parts } of chains) {
    if (heads.some((head) => FOREIGN.has(head))) continue;
    for (const word of [...heads, ...parts]) {
      const rooms = [...(said.get(word) ?? [])];
      const isUsed =
        pages.has(word) || rooms.some((room) => roomOf(sheet) === COMMON || mayUse(room, roomOf(sheet)));
      const owner = names.get(word) ?? sheet;
      if (!isUsed && !FOREIGN.has(word) && owner === sheet)
        wrong.push(`${sheet}:${line} declares ${word}, which nothing uses`);
    }
  }
}

/** The words of the server's pages, which share base.css. */
function pageWords() {
  const repository = resolve(root, "../..");
  const templates = readdirSync(join(repository, "templates")).map((name) => join("templates", name));
  const texts = [...templates, "app/pages.py", "app/api_guide.py"].map((name) =>
    readFileSync(join(repository, name), "utf8"),
  );
  return new Set(texts.join("\n").split(/[^\w-]+/));
}

/** A part's name is used by no room whose elements may stand inside this one's: its rule would reach them. */
function checkNested() {
  for (const [part, sheets] of parts) {
    if (names.has(part) || STATES.has(part) || FOREIGN.has(part)) continue;
    for (const sheet of sheets)
      for (const file of worn.get(part) ?? [])
        if (roomOf(sheet) !== COMMON && roomOf(file) !== roomOf(sheet) && mayUse(roomOf(sheet), roomOf(file)))
          wrong.push(`${sheet} has rules for ${part}, which may reach that of ${file}`);
  }
}

function checkImported() {
  for (const sheet of filesEnding(".css")) {
    const by = imported.get(sheet) ?? [];
    const isOwn = by.every((file) => roomOf(file) === roomOf(sheet) || roomOf(sheet) === COMMON);
    if (by.length !== 1 || !isOwn) wrong.push(`${sheet} is imported by ${by.join(", ") || "nothing"}`);
  }
}
