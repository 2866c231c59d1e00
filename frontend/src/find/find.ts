/** Finding one's way by name: what of a model answers to a search, the best first. Pure; the panel that asks is
 *  panels/search/search.tsx.
 *
 *  A search is words and shorthand (query.ts). Every word has to match a name; the shorthand narrows down where.
 *  What can be found: sections of the map (blocks, heads, …), tensors and cells of them, tokens of the text, and
 *  tokens of the vocabulary.
 */

import { calledTokens } from "../characters";
import type { TensorInfo } from "../graph/types";
import { importanceOf, labelOf } from "../layout/labels";
import { regionSentence, sentence } from "../layout/plain-names";
import type { Region } from "../layout/types";
import { type Axes, addressOf, placeOn, shapeOf } from "./axes";
import { asked, findGlossary } from "./glossary";
import { readPasted } from "./pasted";
import { EMPTY, parseQuery, type Query, textsToLookUp } from "./query";
import { type Names, nearlyMatches, rate } from "./rate";
import { findPositions, findVocabulary } from "./tokens";
import type { CalledScope, Find, Findings, Scope } from "./types";

const MOST = 60;

/** Finds what answers to a search, the best first. */
export function find(typed: string, { tokens, source, ...rest }: Scope): Findings {
  const scope: CalledScope = { ...rest, tokens: calledTokens(tokens), source: calledTokens(source) };
  const text = asked(typed);
  const pasted = readPasted(text, scope.graph);
  const query = parseQuery(text);
  const exact = pasted && { ...EMPTY, words: [pasted.tensor.toLowerCase()], index: pasted.index };
  const meant = exact ?? query;
  const axes: Axes = { ...scope, query: meant };
  const known = exact ? [] : findGlossary(text, scope.graph);
  const all = [
    ...known,
    ...(exact ? [] : findRegions(meant, scope.regions)),
    ...findTensors(meant, axes, rate),
    ...(exact ? [] : [...findPositions(meant, scope), ...findVocabulary(text, meant, scope)]),
  ]
    // What is known by that word is named once.
    .filter((found) => known.includes(found) || !known.some(({ key }) => key === found.key))
    .sort((a, b) => b.score - a.score);
  const good = all.filter(({ score }) => score >= 0);
  const near = good.length > 0 ? good : findTensors(meant, axes, nearlyMatches);
  const found = near.length > 0 ? near : all;
  const finds = saidOnce(found.slice(0, MOST));
  return {
    finds,
    more: found.length - finds.length,
    problem: finds.length > 0 ? null : whyNothing(text, meant, axes),
  };
}

/** A sentence that several finds share stands under the first of them. */
function saidOnce(finds: readonly Find[]): readonly Find[] {
  const said = new Set<string>();
  return finds.map((found) => {
    if (said.has(found.meaning)) return { ...found, meaning: "" };
    said.add(found.meaning);
    return found;
  });
}

/** Sections of the map. */
function findRegions(query: Query, regions: readonly Region[]): readonly Find[] {
  const { words, layer, head, stack } = query;
  if (query.index || query.token || query.position !== null) return [];
  return regions.flatMap((region, order) => {
    if (region.kind === "model" || region.kind === "keys") return [];
    if ((layer !== null && region.layer !== layer) || (stack && region.stack !== stack)) return [];
    if (head !== null && !(region.kind === "head" && region.id.endsWith(`.head.${head}`))) return [];
    const rated = rate(words, regionNames(region));
    if (rated === null) return [];
    // Without words the section that the shorthand names comes first: a block, or a head.
    const named = words.length === 0 && (head !== null || region.kind === "block" || region.kind === "stack");
    const title = titleOf(region);
    return [
      {
        key: region.id,
        title,
        marks: marksIn(title, words),
        note: region.id,
        meaning: regionSentence(region),
        role: null,
        target: { kind: "region" as const, region },
        score: rated + (named ? 1 : 0) + region.importance / 1e4 - order / 1e6,
      },
    ];
  });
}

function regionNames({ name, id, kind }: Region): Names {
  const own = name.toLowerCase();
  return {
    whole: [id.toLowerCase(), own],
    leaf: [own, kind],
    segments: [...id.toLowerCase().split("."), ...own.split(/[\s-]+/), kind],
    other: kind === "output" ? ["unembedding"] : kind === "mlp" ? ["feed-forward", "neurons"] : [],
  };
}

/** `Block 3 · Attention · Head 5`. */
function titleOf({ name, kind, layer, stack, id }: Region): string {
  if (layer === null || kind === "block") return name;
  const block = `${stack ? `${stack === "encoder" ? "Encoder" : "Decoder"} block` : "Block"} ${layer}`;
  const within = kind === "head" ? ` · ${id.includes(".cross_attn.") ? "Cross-attention" : "Attention"}` : "";
  return `${block}${within} · ${name}`;
}

/** Tensors, and cells of them where the search says which. */
function findTensors(
  query: Query,
  axes: Axes,
  match: (words: readonly string[], names: Names) => number | null,
): readonly Find[] {
  const { layer, stack, words } = query;
  const bare = words.length === 0 && layer === null && stack === null && query.head === null;
  if (bare) return [];
  return axes.graph.tensors.flatMap((tensor, order) => {
    if ((layer !== null && tensor.layer !== layer) || (stack && tensor.stack !== stack)) return [];
    const rated = match(words, tensorNames(tensor));
    if (rated === null) return [];
    return placeOn(tensor, axes).map((index, at) =>
      tensorFind(tensor, index, query, axes, rated + importanceOf(tensor) / 1e4 - order / 1e7 - at / 1e6),
    );
  });
}

const namesOf = new WeakMap<TensorInfo, Names>();

function tensorNames(tensor: TensorInfo): Names {
  const known = namesOf.get(tensor);
  if (known) return known;
  const name = tensor.name.toLowerCase();
  const leaf = name.split(".").at(-1)!;
  const label = labelOf(tensor).split(" = ")[0]!.toLowerCase();
  const names: Names = {
    whole: [name],
    leaf: [leaf, leaf.replace(/^hook_/, ""), label],
    segments: [...name.split(/[._]/), ...label.split(" ")],
    other: otherNames(leaf.replace(/^hook_/, "")),
  };
  namesOf.set(tensor, names);
  return names;
}

/** Lists other names of a tensor. */
function otherNames(leaf: string): readonly string[] {
  const names: Readonly<Record<string, readonly string[]>> = {
    q: ["query", "queries"],
    k: ["key", "keys"],
    v: ["value", "values"],
    z: ["mixed"],
    pattern: ["attention", "weights"],
    attn_scores: ["attention"],
    post: ["neurons", "activations"],
    w_e: ["embedding", "embed", "vocabulary"],
    w_u: ["unembedding", "unembed", "vocabulary"],
    w_pos: ["positions", "positional"],
    probabilities: ["softmax", "output"],
    logits: ["output"],
  };
  const residual = leaf.startsWith("resid_") ? ["residual", "stream"] : [];
  return [...residual, ...(names[leaf] ?? [])];
}

function tensorFind(
  tensor: TensorInfo,
  index: readonly (number | null)[],
  query: Query,
  axes: Axes,
  score: number,
): Find {
  const title = `${tensor.name}${indexText(index)}`;
  const words = [...query.words, ...(query.layer === null ? [] : [`blocks.${query.layer}`])];
  const inBracket: readonly (readonly [number, number])[] =
    title.length > tensor.name.length ? [[tensor.name.length, title.length]] : [];
  return {
    key: title,
    title,
    marks: [...marksIn(tensor.name, words), ...inBracket],
    note: [labelOf(tensor), ...addressOf(tensor, index, axes)].join(" · "),
    meaning: sentence(tensor),
    role: tensor.role,
    target: { kind: "cells", tensor: tensor.name, index },
    score,
  };
}

/** `[5, :, 2]`; nothing where all is meant. */
function indexText(index: readonly (number | null)[]): string {
  const last = index.reduce((latest: number, at, axis) => (at === null ? latest : axis), -1);
  return last < 0
    ? ""
    : `[${index
        .slice(0, last + 1)
        .map((at) => at ?? ":")
        .join(", ")}]`;
}

/** Finds the words in a title: each at its last place, which is the one that tells names apart. */
export function marksIn(title: string, words: readonly string[]): readonly (readonly [number, number])[] {
  const lower = title.toLowerCase();
  const found = words
    .map((word): readonly [number, number] => [lower.lastIndexOf(word), word.length])
    .filter(([at]) => at >= 0)
    .map(([at, length]): readonly [number, number] => [at, at + length])
    .sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of found) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Why a search found nothing, as far as that can be said. */
function whyNothing(text: string, query: Query, axes: Axes): Findings["problem"] {
  const { graph, tokens } = axes;
  const layers = graph.tensors.reduce((most, { layer }) => Math.max(most, (layer ?? -1) + 1), 0);
  const heads = graph.sizes.head ?? 0;
  if (query.layer !== null && query.layer >= layers)
    return { message: `There is no block ${query.layer}.`, hint: `Blocks go from 0 to ${layers - 1}.` };
  if (query.head !== null && query.head >= heads)
    return { message: `There is no head ${query.head}.`, hint: `Heads go from 0 to ${heads - 1}.` };
  if (query.position !== null && query.position >= tokens.length)
    return {
      message: `Position ${query.position} has not been read.`,
      hint:
        tokens.length > 0
          ? `The text has positions 0 to ${tokens.length - 1}.`
          : "Type a text and read it first.",
    };
  const named = graph.tensors.find(
    (tensor) =>
      (query.layer === null || tensor.layer === query.layer) &&
      rate(query.words, tensorNames(tensor)) !== null,
  );
  if (query.index && query.words.length > 0 && named) {
    const shape = shapeOf(named, axes);
    const sizes = named.axes.map((axis, at) => `${axis} ${shape[at]}`);
    return {
      message: `${named.name} has no such cell.`,
      hint: `Its axes are ${sizes.join(", ")}; each counts from 0.`,
    };
  }
  return {
    message: `Nothing here answers to “${text.trim()}”.`,
    hint: "Names, shorthand and tokens work; some that this model has:",
  };
}

/** Searches that this model answers, one of each sort: for who does not know what to type. */
export function examples(scope: Scope): readonly { readonly text: string; readonly what: string }[] {
  const { graph, tokens } = scope;
  const stack = graph.tensors.some((tensor) => tensor.stack === "decoder") ? "decoder " : "";
  const own = graph.tensors.filter(({ layer, stack: of }) => layer !== null && of !== "encoder");
  const layer = own.reduce((most, tensor) => Math.max(most, tensor.layer ?? 0), 0);
  const middle = Math.floor((layer + 1) / 2);
  const head = Math.max(0, (graph.sizes.head ?? 1) - 1);
  const pattern = own.find((tensor) => tensor.layer === middle && tensor.name.endsWith(".attn.hook_pattern"));
  const word =
    tokens.find(({ text }) => /^\s?\p{L}{2,}$/u.test(text)) ??
    tokens.find(({ text, end = 1, start = 0 }) => end > start && !text.includes("\\x"));
  const found = [
    { text: `${stack}L${middle}H${head} pattern`, what: "what one head looks at" },
    { text: `${stack}L${middle} mlp`, what: "a section of a block" },
    {
      text: `${stack}L${middle}H0 q[${Math.max(0, Math.min(4, tokens.length - 1))}]`,
      what: "one head's query at a position",
    },
    ...(pattern ? [{ text: `${pattern.name}[0]`, what: "a tensor by its name, with an index" }] : []),
    ...(word ? [{ text: `W_E '${word.text}'`, what: "a token's row of the vocabulary" }] : []),
    ...(word ? [{ text: `'${word.text}'`, what: "a token, in the text and in the vocabulary" }] : []),
  ];
  return found.filter(({ text }) => textsToLookUp(text).length > 0 || find(text, scope).finds.length > 0);
}

/** Finds what pasted text names, where it names one tensor of the model or cells of it, and nothing else. */
export function findPasted(text: string, scope: Scope): Find | null {
  const pasted = readPasted(text, scope.graph);
  const first = pasted && find(text, scope).finds[0];
  return first?.target.kind === "cells" && first.target.tensor === pasted?.tensor ? first : null;
}
