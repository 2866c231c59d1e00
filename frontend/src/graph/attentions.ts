/** The attentions of a model, read from its graph: which parts there are, what each is called in every block, which
 *  text its queries and keys stand in, and which of its cells are masked. */

import { findTensor, opMaking } from "./shape";
import type { Graph } from "./types";
import { comparisons, holds } from "./where";

const PATTERN = ".hook_pattern";

/** The stages of a score: what is matched, what the mask leaves of it, and the share that the softmax makes of it. */
export type AttentionStage = "hook_attn_scores_raw" | "hook_attn_scores" | "hook_pattern";
export const STAGES: readonly AttentionStage[] = ["hook_attn_scores_raw", "hook_attn_scores", "hook_pattern"];

const found = new WeakMap<Graph, ReadonlyMap<string, readonly string[]>>();

/** The attention modules by part (`self`, or `encoder`, `decoder` and `cross`), a name a block: the parts and the
 *  order of app/lenses/parts.py. */
export function attentionParts(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const known = found.get(graph);
  if (known) return known;
  const parts = new Map<string, string[]>();
  for (const { name, kind, stack } of graph.tensors) {
    if (kind !== "hook_pattern") continue;
    const module = name.slice(0, -PATTERN.length);
    const part = module.endsWith("cross_attn") ? "cross" : (stack ?? "self");
    parts.set(part, [...(parts.get(part) ?? []), module]);
  }
  found.set(graph, parts);
  return parts;
}

/** The stages that a module has: one that masks nothing has no scores before a mask. */
export function stagesOf(graph: Graph, module: string): readonly AttentionStage[] {
  return STAGES.filter((stage) => findTensor(graph, `${module}.${stage}`));
}

/** Tells whether the positions along an axis of a module are those of the source of an encoder-decoder. */
export function ofSource(graph: Graph, module: string, axis: "query_pos" | "key_pos"): boolean {
  return findTensor(graph, module + PATTERN)?.source_axes.includes(axis) ?? false;
}

/** Tells whether a query may not look at a key; null where a module masks nothing. */
export function maskOf(graph: Graph, module: string): ((query: number, key: number) => boolean) | null {
  const op = opMaking(graph, `${module}.hook_attn_scores`);
  if (op?.kind !== "mask") return null;
  const conditions = op.reads.flatMap(({ where }) => comparisons(where));
  const at = new Map<string, number>();
  return (query, key) => {
    at.set("query_pos", query).set("key_pos", key);
    return conditions.some((condition) => !holds(condition, at));
  };
}

/** The heads of a pattern, and how many of them share a key (1: none do). */
export function headsOf(graph: Graph): { readonly heads: number; readonly group: number } {
  const { head = 1, kv_head = head } = graph.sizes;
  return { heads: head, group: head / kv_head };
}

/** Places a tensor among the attentions: its part, block and stage; null where it is no attention's. */
export function attentionOf(
  graph: Graph,
  tensor: string,
): { readonly part: string; readonly layer: number; readonly stage: AttentionStage } | null {
  const stage = STAGES.find((name) => tensor.endsWith(`.${name}`));
  if (!stage) return null;
  for (const [part, modules] of attentionParts(graph)) {
    const layer = modules.indexOf(tensor.slice(0, -stage.length - 1));
    if (layer >= 0) return { part, layer, stage };
  }
  return null;
}
