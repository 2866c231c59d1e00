/** What the attention panel shows: which attention of the model, which of its views, and how that is written into an
 *  address. What an address asks for need not exist; `resolve` says what does. */

import {
  type AttentionStage,
  attentionParts,
  headsOf,
  ofSource,
  STAGES,
  stagesOf,
} from "../graph/attentions";
import type { Graph } from "../graph/types";

export type AttentionView = "matrix" | "arcs" | "heads" | "pair" | "rollout";
export const VIEWS: readonly AttentionView[] = ["matrix", "arcs", "heads", "pair", "rollout"];

export interface AttentionChoice {
  /** One of the model's attentions; null is the first that the panel lists. */
  readonly part: string | null;
  readonly layer: number;
  readonly head: number;
  readonly stage: AttentionStage;
  readonly view: AttentionView;
  /** What a view keeps beside: the heads that arcs are drawn of (`0.3`), or what the heads are sorted by. */
  readonly detail: string;
}

export const FIRST_ATTENTION: AttentionChoice = {
  part: null,
  layer: 0,
  head: 0,
  stage: "hook_pattern",
  view: "matrix",
  detail: "",
};

/** An attention that exists, with everything there is to choose from around it. */
export interface Attention {
  readonly part: string;
  readonly module: string;
  readonly layer: number;
  readonly head: number;
  readonly stage: AttentionStage;
  /** The tensor of the stage. */
  readonly tensor: string;
  readonly parts: readonly string[];
  readonly layers: number;
  readonly heads: number;
  /** Heads that share a key and a value. */
  readonly group: number;
  readonly stages: readonly AttentionStage[];
  /** Whether queries, and keys, are positions of the source of an encoder-decoder. */
  readonly queriesOfSource: boolean;
  readonly keysOfSource: boolean;
}

export type Resolved =
  | { readonly attention: Attention; readonly problem: null }
  | { readonly attention: Attention | null; readonly problem: { message: string; hint: string } };

/** The attention that a choice means in this model. Where it means none, the nearest there is and what is wrong. */
export function resolve(graph: Graph, model: string, choice: AttentionChoice): Resolved {
  const parts = attentionParts(graph);
  const names = [...parts.keys()];
  const first = names.includes("cross") ? "cross" : names.at(-1);
  if (first === undefined)
    return {
      attention: null,
      problem: {
        message: `${model} has no attention.`,
        hint: "Nothing in it looks from one token at another.",
      },
    };
  const part = choice.part ?? first;
  const there = parts.get(part);
  const modules = there ?? parts.get(first) ?? [];
  const { heads, group } = headsOf(graph);
  const layer = Math.min(choice.layer, modules.length - 1);
  const module = modules[layer]!;
  const stages = stagesOf(graph, module);
  const stage = stages.includes(choice.stage) ? choice.stage : "hook_attn_scores";
  const attention = {
    part: there ? part : first,
    module,
    layer,
    head: Math.min(choice.head, heads - 1),
    stage,
    tensor: `${module}.${stage}`,
    parts: names,
    layers: modules.length,
    heads,
    group,
    stages,
    queriesOfSource: ofSource(graph, module, "query_pos"),
    keysOfSource: ofSource(graph, module, "key_pos"),
  };
  const problem = !there
    ? { message: `${model} has no attention called “${part}”.`, hint: `It has: ${names.join(", ")}.` }
    : choice.layer >= modules.length
      ? missing("block", choice.layer, modules.length, `${model} (${part})`)
      : choice.head >= heads
        ? missing("head", choice.head, heads, model)
        : null;
  return problem ? { attention, problem } : { attention, problem: null };
}

const missing = (what: string, asked: number, count: number, where: string) => ({
  message: `There is no ${what} ${asked} in ${where}.`,
  hint: count === 1 ? `It has ${what} 0 alone.` : `Choose ${what} 0 to ${count - 1}.`,
});

const WRITTEN = new RegExp(
  `^(?:([a-z]+)_)?(\\d{1,6})_(\\d{1,6})_(${STAGES.join("|")})(?:_([a-z]+)(?:-([\\w.-]*))?)?$`,
);

/** `cross_1_3_hook_pattern_arcs-0.3`: part, layer, head, stage, view and what the view keeps. */
export function writeAttention({ part, layer, head, stage, view, detail }: AttentionChoice): string {
  const place = `${part === null ? "" : `${part}_`}${layer}_${head}_${stage}`;
  if (view === "matrix" && detail === "") return place;
  return `${place}_${view}${detail === "" ? "" : `-${detail}`}`;
}

/** What an address says; null where it cannot be read. Part and view may be left out. */
export function readAttention(text: string): AttentionChoice | null {
  const match = WRITTEN.exec(text);
  if (!match) return null;
  const view = VIEWS.find((name) => name === (match[5] ?? "matrix"));
  if (!view) return null;
  return {
    part: match[1] ?? null,
    layer: Number(match[2]),
    head: Number(match[3]),
    stage: match[4] as AttentionStage,
    view,
    detail: match[6] ?? "",
  };
}

/** The heads that a detail of the arcs names; all of them where it names none that exist. */
export function headsShown(detail: string, heads: number): ReadonlySet<number> {
  const named = detail
    .split(".")
    .filter((text) => /^\d+$/.test(text))
    .map(Number)
    .filter((head) => head < heads);
  if (detail === "none") return new Set();
  return new Set(named.length > 0 ? named : Array.from({ length: heads }, (_, head) => head));
}

/** The detail that names these heads. */
export function writeHeads(shown: ReadonlySet<number>, heads: number): string {
  if (shown.size === heads) return "";
  return shown.size === 0 ? "none" : [...shown].sort((a, b) => a - b).join(".");
}

/** How the board is sorted: by place, or by a measure, the largest first unless `upward`. */
export interface BoardOrder {
  readonly measure: string | null;
  readonly upward: boolean;
}

export function readOrder(detail: string): BoardOrder {
  const match = /^([a-z]+)(-up)?$/.exec(detail);
  return { measure: match?.[1] ?? null, upward: match?.[2] !== undefined };
}

export const writeOrder = ({ measure, upward }: BoardOrder): string =>
  measure === null ? "" : `${measure}${upward ? "-up" : ""}`;
