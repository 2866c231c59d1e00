/** What every kind of tensor and every section of a model is called in plain words, and what it is for, in one sentence.
 *
 *  The short names people use at a blackboard are in `labels.ts`; these are for whoever meets them for the first time.
 *  Map, search and cards read them from here, so that nothing has two names.
 */

import type { TensorInfo } from "../graph/types";
import type { Region } from "./types";

interface Words {
  readonly name: string;
  readonly sentence: string;
}

/** By the last part of a tensor's kind; norms, the parts of a dense layer before the output and cross-attention have
 *  words of their own. */
const WORDS: Readonly<Record<string, Words>> = {
  W_E: {
    name: "token table",
    sentence: "One vector for every token the model knows: reading a token looks its vector up here.",
  },
  W_pos: {
    name: "position table",
    sentence:
      "One vector for every position, added to the token's, so that the model knows the order of the words.",
  },
  W_token_type: {
    name: "segment table",
    sentence:
      "One vector for every part of the input, added to the tokens of that part, which tells a first text from a second.",
  },
  W_rel: {
    name: "distance table",
    sentence: "What every head adds to a score for how far apart two tokens stand.",
  },
  rotary_cos: {
    name: "rotation cosines",
    sentence:
      "By which angles queries and keys are turned at every position: the cosines, computed by a formula.",
  },
  rotary_sin: {
    name: "rotation sines",
    sentence:
      "By which angles queries and keys are turned at every position: the sines, computed by a formula.",
  },
  hook_embed: {
    name: "token vectors",
    sentence: "The vectors of the text's tokens, one column a token, as looked up in the token table.",
  },
  hook_pos_embed: {
    name: "position vectors",
    sentence: "The vectors of the positions, one column a position, as looked up in the position table.",
  },
  hook_token_type_embed: {
    name: "segment vectors",
    sentence: "The vectors that say which part of the input each token belongs to.",
  },
  hook_embed_sum: {
    name: "input vectors",
    sentence: "The vectors of token, position and part of the input, added up: what goes into the model.",
  },
  hook_resid_pre: {
    name: "running sum",
    sentence:
      "One column a token: all that the model has worked out of it so far; every layer reads from it and adds to it.",
  },
  hook_resid_mid: {
    name: "running sum",
    sentence: "One column a token: the running sum after attention has added what it found.",
  },
  hook_resid_mid_cross: {
    name: "running sum",
    sentence:
      "One column a token: the running sum after cross-attention has added what it found in the source text.",
  },
  hook_resid_sum: {
    name: "sum before the norm",
    sentence: "The running sum with the layer's result just added, before it is brought to a common size.",
  },
  hook_resid_post: {
    name: "running sum",
    sentence: "One column a token: the running sum as it leaves the block, which the next one reads.",
  },
  W_Q: { name: "query weights", sentence: "Makes of every token a query: what this head looks for." },
  W_K: { name: "key weights", sentence: "Makes of every token a key: what this head can find it by." },
  W_V: {
    name: "value weights",
    sentence: "Makes of every token a value: what this head passes on when it looks there.",
  },
  W_O: {
    name: "output weights",
    sentence: "Brings what the heads have gathered back to the width of the running sum.",
  },
  b_Q: { name: "query bias", sentence: "Learned numbers that are added to every query." },
  b_K: { name: "key bias", sentence: "Learned numbers that are added to every key." },
  b_V: { name: "value bias", sentence: "Learned numbers that are added to every value." },
  b_O: {
    name: "output bias",
    sentence: "Learned numbers that are added to what attention gives, the same for every token.",
  },
  hook_q: { name: "queries", sentence: "What each token looks for in this head, one column a token." },
  hook_k: { name: "keys", sentence: "What each token can be found by in this head, one column a token." },
  hook_v: {
    name: "values",
    sentence: "What each token passes on to those that look at it, one column a token.",
  },
  hook_rot_q: {
    name: "turned queries",
    sentence:
      "The queries, turned by angles that depend on the position, so that a score depends on the distance.",
  },
  hook_rot_k: {
    name: "turned keys",
    sentence:
      "The keys, turned by angles that depend on the position, so that a score depends on the distance.",
  },
  hook_attn_scores_raw: {
    name: "scores before the mask",
    sentence:
      "How well the query of each row fits the key of each column, before the mask and whatever else is added.",
  },
  hook_attn_scores: {
    name: "scores",
    sentence:
      "How well the query of each row fits the key of each column: the better, the more that token is looked at.",
  },
  hook_max: {
    name: "largest score",
    sentence:
      "The largest score of every row, which softmax takes away first, so that no exponential grows too large.",
  },
  hook_sum: {
    name: "sum of exponentials",
    sentence: "What softmax divides the exponentials of a row's scores by, so that they add up to one.",
  },
  hook_pattern: {
    name: "attention pattern",
    sentence:
      "Which token looks where: each row says how its token divides its attention, and adds up to one.",
  },
  hook_z: {
    name: "mixed values",
    sentence: "The values, mixed for every token in the shares that its row of the pattern says.",
  },
  hook_result: { name: "head results", sentence: "What each head alone adds to the running sum." },
  hook_attn_out: {
    name: "attention's result",
    sentence: "What attention adds to the running sum, all heads together.",
  },
  hook_cross_attn_out: {
    name: "cross-attention's result",
    sentence: "What cross-attention brings in from the source text and adds to the running sum.",
  },
  W_in: {
    name: "first MLP layer",
    sentence: "Every column is a neuron: the numbers that it weighs a token's vector with.",
  },
  W_gate: {
    name: "MLP gate layer",
    sentence: "Every column is a neuron: the numbers that decide how far it is opened.",
  },
  W_out: {
    name: "second MLP layer",
    sentence: "Every column is a neuron: the vector that it adds to the running sum when it fires.",
  },
  b_in: { name: "first MLP bias", sentence: "Learned numbers, one a neuron: how easily it fires." },
  b_out: {
    name: "second MLP bias",
    sentence: "Learned numbers that are added to what the MLP gives, the same for every token.",
  },
  hook_pre: {
    name: "neuron inputs",
    sentence:
      "What each neuron has weighed up for each token, before the nonlinearity decides how much of it goes on.",
  },
  hook_gate: {
    name: "gate outputs",
    sentence: "How far each neuron's gate is open for each token, after the nonlinearity.",
  },
  hook_pre_linear: {
    name: "ungated inputs",
    sentence: "What each neuron has weighed up for each token, before it is multiplied by its gate.",
  },
  hook_post: {
    name: "neuron outputs",
    sentence: "How strongly each neuron fires for each token: one row a token, one column a neuron.",
  },
  hook_mlp_out: {
    name: "MLP's result",
    sentence: "What the MLP adds to the running sum, all neurons together.",
  },
  W_U: {
    name: "output table",
    sentence:
      "One vector for every token the model knows: the better the last vector fits it, the likelier the token.",
  },
  b_U: {
    name: "output bias",
    sentence:
      "Learned numbers, one for every token the model knows: how likely it is before anything is read.",
  },
  logits: {
    name: "token scores",
    sentence: "A score for every token the model knows, at every position: the higher, the likelier it is.",
  },
  probabilities: {
    name: "token probabilities",
    sentence: "The scores as shares that add up to one: the model's guess at every position.",
  },
};

/** What belongs to a norm, by its last part. */
const NORM: Readonly<Record<string, Words>> = {
  hook_mean: { name: "mean", sentence: "The mean of every token's vector, which the norm takes away." },
  hook_scale: { name: "size", sentence: "The size of every token's vector, which the norm divides it by." },
  hook_normalized: {
    name: "normalized",
    sentence: "Every token's vector brought to a common size, before gain and bias.",
  },
  w: {
    name: "gain",
    sentence: "Learned numbers that every normalized vector is multiplied by, entry by entry.",
  },
  b: { name: "bias", sentence: "Learned numbers that are added to every normalized vector, entry by entry." },
  hook_out: {
    name: "norm",
    sentence:
      "Every token's vector brought to a common size, so that what follows reads loud and quiet ones alike.",
  },
};

/** The dense layer that some encoders have before their output. */
const DENSE: Readonly<Record<string, Words>> = {
  W: { name: "dense layer", sentence: "A layer of weights that prepares every vector for the guess." },
  b: { name: "dense bias", sentence: "Learned numbers that are added to what the dense layer gives." },
  hook_pre: {
    name: "dense result",
    sentence: "What the dense layer before the output gives, before its nonlinearity.",
  },
  hook_post: {
    name: "dense result",
    sentence: "What the dense layer before the output gives, after its nonlinearity.",
  },
};

const OF_ROLE: Readonly<Record<TensorInfo["role"], Words>> = {
  weight: { name: "weights", sentence: "Numbers that the model has learned." },
  activation: { name: "activations", sentence: "Numbers that the model computes from the text." },
  probability: { name: "shares", sentence: "Shares that add up to one." },
  summary: { name: "summary", sentence: "One number a row, which the next step divides by or takes away." },
};

const REGIONS: Readonly<Record<Region["kind"], Words>> = {
  model: {
    name: "model",
    sentence:
      "All of the model: every number that it has learned, and every number that it computes from the text.",
  },
  stack: {
    name: "stack",
    sentence:
      "One of the model's two halves: the encoder reads the source text, the decoder writes the answer.",
  },
  embedding: { name: "embedding", sentence: "Where the text goes in: each token is replaced by a vector." },
  block: {
    name: "block",
    sentence:
      "One layer of the model: attention lets tokens look at each other, then the MLP works on each by itself.",
  },
  attention: {
    name: "attention",
    sentence: "Where tokens look at each other: each head gathers what it finds at other tokens.",
  },
  head: {
    name: "head",
    sentence: "One of several that look at the text at once, each with weights and a pattern of its own.",
  },
  keys: { name: "shared keys and values", sentence: "Keys and values that a group of heads shares." },
  mlp: { name: "MLP", sentence: "Two layers of neurons that work on every token by itself." },
  output: {
    name: "output",
    sentence: "Where the guess comes out: the last vector is compared with every token the model knows.",
  },
};

/** True where tensor belongs to cross-attention, whose keys and values come from the source text. */
const isCross = (owner: string): boolean => owner === "cross_attn";
const isNorm = (owner: string): boolean => owner.startsWith("ln") || owner.endsWith("_norm");

function wordsOf(tensor: TensorInfo): Words {
  const path = tensor.name.split(".");
  const [leaf = "", owner = ""] = [path.at(-1), path.at(-2)];
  if (isNorm(owner)) return NORM[leaf] ?? OF_ROLE[tensor.role];
  if (owner === "mlm_head") return DENSE[leaf] ?? OF_ROLE[tensor.role];
  const words = WORDS[leaf] ?? OF_ROLE[tensor.role];
  return isCross(owner) ? { ...words, name: `cross-attention ${words.name}` } : words;
}

/** True where the table has words of its own for a tensor, rather than those of its role. */
export function hasPlainName(tensor: TensorInfo): boolean {
  return !Object.values(OF_ROLE).includes(wordsOf(tensor));
}

/** What a tensor is called in plain words, such as `token table`, `queries`, `running sum`. */
export function plainName(tensor: TensorInfo): string {
  const { name } = wordsOf(tensor);
  const owner = tensor.name.split(".").at(-2) ?? "";
  if (!isNorm(owner) || name === "norm") return name;
  return owner.startsWith("q_")
    ? `query norm: ${name}`
    : owner.startsWith("k_")
      ? `key norm: ${name}`
      : `norm: ${name}`;
}

/** What a tensor is for, in one sentence. */
export function sentence(tensor: TensorInfo): string {
  const words = wordsOf(tensor).sentence;
  const isTable = tensor.role === "weight" && !tensor.learned && !words.includes("formula");
  return isTable ? words.replace(/\.$/, "; computed by a formula, not learned.") : words;
}

/** What a section of the map is for, in one sentence. */
export function regionSentence({ kind, stack, name }: Pick<Region, "kind" | "stack" | "name">): string {
  if (kind === "stack" && stack === "encoder")
    return "Reads the source text, every token of it looking at all the others.";
  if (kind === "stack")
    return "Writes the answer token by token, looking at the source text and at what it has written.";
  if (kind === "attention" && name.startsWith("Cross"))
    return "Where tokens of the answer look at the source text: each head gathers what it finds there.";
  return REGIONS[kind].sentence;
}
