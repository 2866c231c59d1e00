/** A step of the pass in plain words: what it does for one token of the text that was read, and why. The server's
 *  sentence says how the numbers are combined; this one says what for. */

import { formatNumber, tokenText } from "../format";
import type { Moment, Step } from "../graph/pass";
import { findTensor, isTokenAxis } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import type { HeadOf } from "../layout/front";
import type { CellPlayed } from "./track";

/** Where numbers come from: what the map holds. */
export interface Numbers {
  valueAt(tensor: string, index: readonly number[]): number | undefined;
}

/** The texts that were read, token by token, and what is most likely to follow. */
export interface Texts {
  readonly target: readonly string[];
  readonly source: readonly string[];
  readonly next: { readonly text: string; readonly probability: number } | null;
}

export interface Meaning {
  /** What it means for one token of this text, with its tokens and numbers; null where only the formula is known. */
  readonly meaning: string | null;
  /** What the block is for. */
  readonly block: string;
  /** A cell that is made just now, of the token spoken of. */
  readonly cell: CellPlayed | null;
}

/** What is spoken of: a token by its position, and the head, where there are heads. */
interface Spoken {
  readonly graph: Graph;
  readonly numbers: Numbers;
  readonly texts: Texts;
  readonly output: TensorInfo;
  readonly at: number;
  readonly head: number;
  /** Tokens of the text that the output's positions are of, in quotation marks. */
  readonly token: (at: number) => string;
  readonly count: number;
  readonly index: readonly number[];
}

type Sentence = (spoken: Spoken) => string;

/** The meaning of a moment; `head` is the one that stands in front. */
export function meaningOf(
  graph: Graph,
  moment: Moment,
  head: HeadOf | null,
  numbers: Numbers,
  texts: Texts,
): Meaning {
  const { output, shape } = moment.step;
  const position = output.axes.findIndex(isTokenAxis);
  const [made] = moment.makes;
  const count = position < 0 ? 0 : shape[position]!;
  const at =
    !moment.whole && made && position >= 0 && made.stop[position]! - made.start[position]! === 1
      ? made.start[position]!
      : Math.max(0, count - 1);
  const headAxis = output.axes.findIndex((axis) => axis === "head" || axis === "kv_head");
  const index = output.axes.map((axis, i) =>
    i === position ? at : i === headAxis ? ownIndex(graph, axis, head?.head ?? 0) : 0,
  );
  const ofSource = position >= 0 && output.source_axes.includes(output.axes[position]!);
  const spoken: Spoken = {
    graph,
    numbers,
    texts,
    output,
    at,
    head: head?.head ?? 0,
    token: (i) => quoted((ofSource ? texts.source : texts.target)[i], i),
    count,
    index,
  };
  const sentence = SENTENCES[keyOf(output)] ?? BY_OPERATION[moment.step.op.kind];
  return {
    meaning: count > 0 && sentence ? sentence(spoken) : null,
    block: blockWords(output),
    cell: count > 0 ? { tensor: output.name, index: toBest(spoken) } : null,
  };
}

/** Of a row of scores or shares, the cell that the sentence names. */
function toBest(spoken: Spoken): readonly number[] {
  const { output, index } = spoken;
  if (!output.axes.at(-1)!.startsWith("key_pos")) return index;
  const top = best(spoken, output.name.split(".").at(-1)!);
  return top ? [...index.slice(0, -1), top.key] : index;
}

/** A token and a number of a usual length. */
const SOME_TOKEN = "somewhat";
const SOME_NUMBER = -0.1234;
/** Letters for a formula where a step has no sentence. */
const FORMULA = 90;

/** How many letters the sentence of a step has for one token: with words and numbers of a usual length, so that it is
 *  the same whatever text was read, and whether its numbers have come or not. */
export function lettersOf(graph: Graph, { output, op }: Step): number {
  const sentence = SENTENCES[keyOf(output)] ?? BY_OPERATION[op.kind];
  const some = [SOME_TOKEN, SOME_TOKEN];
  const words = sentence?.({
    graph,
    numbers: { valueAt: () => SOME_NUMBER },
    texts: { target: some, source: some, next: { text: SOME_TOKEN, probability: 0.1234 } },
    output,
    at: 1,
    head: 0,
    token: () => quoted(SOME_TOKEN, 1),
    count: 2,
    index: output.axes.map(() => 0),
  });
  return words?.length ?? FORMULA;
}

/** What is said while the parts between the first and the last are gone through in one sweep. */
export function sweepWords({ swept }: Step): string {
  const [heads, tokens] = [
    swept.some(({ axis }) => !isTokenAxis(axis)),
    swept.some(({ axis }) => isTokenAxis(axis)),
  ];
  if (heads && tokens) return "The same for every other token, in one head after another.";
  return heads ? "The same in all other heads." : "The same for every other token.";
}

/** The index of a head along an axis of heads or of keys that several heads share. */
function ownIndex({ sizes }: Graph, axis: string, head: number): number {
  return axis === "head" ? head : Math.floor((head * (sizes.kv_head ?? 1)) / (sizes.head ?? 1));
}

const quoted = (text: string | undefined, at: number): string =>
  text === undefined ? `token ${at}` : `“${tokenText(text).replace(/^␣(?=.)/, "")}”`;

/** The last part of a tensor's name, with what it belongs to where that matters. */
function keyOf({ name }: TensorInfo): string {
  const parts = name.split(".");
  const leaf = parts.at(-1)!;
  const owner = parts.at(-2) ?? "";
  if (leaf !== "hook_out") return leaf;
  return /^ln|norm/.test(owner) ? "norm.hook_out" : leaf;
}

function blockWords({ layer, stack }: TensorInfo): string {
  if (layer === null) return "Words become vectors at the beginning, and vectors become a guess at the end.";
  const whose = stack === "encoder" ? "the text to be read" : "the text";
  return `In every block, attention lets each token of ${whose} take from others what it looks for, and the MLP works on each by itself. Both add what they find to the token's running sum.`;
}

const numberOf = ({ numbers, output, index }: Spoken): string => {
  const value = numbers.valueAt(output.name, index);
  return value === undefined || !Number.isFinite(value) ? "" : formatNumber(value, 3);
};

/** `: 5.19`, or nothing where the number is not here. */
const said = (spoken: Spoken): string => {
  const value = numberOf(spoken);
  return value === "" ? "" : `: ${value}`;
};

/** The key for which a row of scores or shares is largest. */
function best(
  { numbers, texts, graph, output, head, at }: Spoken,
  leaf: string,
): { key: number; value: number } | null {
  const name = output.name.replace(/\.[^.]*$/, `.${leaf}`);
  const info = findTensor(graph, name);
  if (!info) return null;
  let found: { key: number; value: number } | null = null;
  const keys = info.source_axes.includes("key_pos") ? texts.source : texts.target;
  for (let key = 0; key < keys.length; key++) {
    const value = numbers.valueAt(name, [head, at, key]);
    if (value !== undefined && Number.isFinite(value) && (!found || value > found.value))
      found = { key, value };
  }
  return found;
}

function keyToken(spoken: Spoken, key: number): string {
  const { graph, output, texts } = spoken;
  const pattern = findTensor(graph, output.name.replace(/\.[^.]*$/, ".hook_pattern"));
  const tokens = pattern?.source_axes.includes("key_pos") ? texts.source : texts.target;
  const same = pattern?.source_axes.includes("query_pos") === pattern?.source_axes.includes("key_pos");
  return same && key === spoken.at ? "itself" : quoted(tokens[key], key);
}

const inHead = ({ head }: Spoken): string => `in head ${head}`;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  hook_embed: (s) =>
    `${s.token(s.at)} is looked up in the token table: from here on it is ${s.graph.sizes.d_model} numbers.`,
  hook_pos_embed: (s) =>
    `The position is looked up too: ${s.token(s.at)} stands at place ${s.at}, and the model is to know it.`,
  hook_mean: (s) => `The mean of ${s.token(s.at)}'s numbers${said(s)}. It is taken off next.`,
  hook_scale: (s) =>
    `How far ${s.token(s.at)}'s numbers spread${said(s)}. They are divided by it, so that no token is louder than another.`,
  hook_normalized: (s) =>
    `${s.token(s.at)}'s numbers at a common size: what reads them meets the same range at every token and in every block.`,
  "norm.hook_out": (s) =>
    `Each of ${s.token(s.at)}'s numbers has its own learned gain: some are turned up, others down.`,
  hook_q: (s) => `What ${s.token(s.at)} looks for ${inHead(s)}: its query.`,
  hook_k: (s) => `What ${s.token(s.at)} answers to whoever looks for something ${inHead(s)}: its key.`,
  hook_v: (s) => `What ${s.token(s.at)} hands on to those who look at it ${inHead(s)}: its value.`,
  hook_rot_q: (s) =>
    `The query of ${s.token(s.at)} is turned by an angle that grows with its place: matches then depend on distance.`,
  hook_rot_k: (s) =>
    `The key of ${s.token(s.at)} is turned by an angle that grows with its place: matches then depend on distance.`,
  hook_attn_scores_raw: (s) => matching(s, "hook_attn_scores_raw"),
  hook_attn_scores: (s) => {
    const masks = s.graph.ops.find(({ output }) => output === s.output.name)?.kind === "mask";
    if (!masks) return matching(s, "hook_attn_scores");
    const top = best(s, "hook_attn_scores");
    return `What ${s.token(s.at)} may not see is struck out${top ? `; of the rest it matches ${keyToken(s, top.key)} best, ${formatNumber(top.value, 3)}` : ""}.`;
  },
  hook_max: (s) =>
    `The best match of ${s.token(s.at)} ${inHead(s)}${said(s)}. Others count by how far they fall short of it.`,
  hook_sum: (s) =>
    `What the matches of ${s.token(s.at)} come to together${said(s)}: each is divided by it, so that they make one whole.`,
  hook_pattern: (s) => {
    const top = best(s, "hook_pattern");
    return top
      ? `${s.token(s.at)} divides its attention: most of it, ${formatNumber(top.value, 3)}, goes to ${keyToken(s, top.key)}.`
      : `${s.token(s.at)} divides its attention: the shares make one whole.`;
  },
  hook_z: (s) => {
    const top = best(s, "hook_pattern");
    return `What ${s.token(s.at)} takes away from looking: the values of the others, by their shares${top ? `, most from ${keyToken(s, top.key)} (${formatNumber(top.value, 3)})` : ""}.`;
  },
  hook_attn_out: (s) => `What all heads found for ${s.token(s.at)}, put into one vector again.`,
  hook_cross_attn_out: (s) =>
    `What all heads found in the text read for ${s.token(s.at)}, put into one vector.`,
  hook_resid_pre: (s) =>
    `The running sum of ${s.token(s.at)} begins: every block will read it and add to it.`,
  hook_resid_mid: (s) =>
    `What attention found is added to the running sum of ${s.token(s.at)}; nothing in it is overwritten.`,
  hook_resid_post: (s) =>
    `What the MLP found is added to the running sum of ${s.token(s.at)}: this block is done with it.`,
  hook_pre: (s) =>
    `Each of ${s.graph.sizes.d_mlp} neurons asks one question of ${s.token(s.at)}'s numbers: a large number is a yes.`,
  hook_pre_linear: (s) => `What each neuron would say of ${s.token(s.at)}, before its gate.`,
  hook_gate: (s) => `How far the gate of each neuron opens for ${s.token(s.at)}.`,
  hook_post: () => `What each neuron makes of its answer: a clear yes passes, a no is as good as nothing.`,
  hook_mlp_out: (s) => `What the neurons that fired for ${s.token(s.at)} say, put into one vector again.`,
  logits: (s) => `Every token of the vocabulary gets a score for standing after ${s.token(s.at)}.`,
  probabilities: (s) => {
    const top = s.texts.next;
    return s.at === s.count - 1 && top
      ? `The scores become probabilities: after ${s.token(s.at)} most likely ${quoted(top.text, 0)}, ${formatNumber(top.probability, 3)}.`
      : `The scores become probabilities: the model's guess at what follows ${s.token(s.at)}.`;
  },
};

/** For tensors without a sentence of their own. */
const BY_OPERATION: Readonly<Record<string, Sentence>> = {
  embed: (s) => `${s.token(s.at)} is looked up in a table: its row is copied.`,
  add: (s) => `Two vectors of ${s.token(s.at)} are added, number by number.`,
  rotate: (s) => `The vector of ${s.token(s.at)} is turned by an angle that grows with its place.`,
  activation: (s) => `Each number of ${s.token(s.at)} goes through the same curve.`,
  multiply: (s) => `A gate decides how much of each number of ${s.token(s.at)} passes.`,
};

function matching(spoken: Spoken, leaf: string): string {
  const top = best(spoken, leaf);
  const head = `How well the query of ${spoken.token(spoken.at)} matches each key ${inHead(spoken)}`;
  return top
    ? `${head}: best that of ${keyToken(spoken, top.key)}, ${formatNumber(top.value, 3)}.`
    : `${head}.`;
}
