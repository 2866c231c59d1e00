/** What is written beside a plate, and which label yields where two would overlap.
 *
 *  The words are the short ones people use at a blackboard; the full name is in the hover read-out.
 */

import type { TensorInfo } from "../graph/types";

const WORDS: Readonly<Record<string, string>> = {
  attn_scores_raw: "scores raw",
  attn_scores: "scores",
  pre: "mlp pre",
  post: "mlp post",
  gate: "mlp gate",
  pre_linear: "mlp linear",
  rot_q: "q rotated",
  rot_k: "k rotated",
  rotary_cos: "rotary cosines",
  rotary_sin: "rotary sines",
};

/** Importance by kind; what is not listed gets that of its role. */
const IMPORTANCE: Readonly<Record<string, number>> = {
  W_E: 95,
  W_U: 95,
  probabilities: 94,
  logits: 90,
  W_pos: 88,
  W_token_type: 87,
  hook_embed: 86,
  hook_pos_embed: 70,
  hook_token_type_embed: 69,
  hook_embed_sum: 83,
  rotary_cos: 60,
  rotary_sin: 59,
  W_rel: 60,
  hook_resid_pre: 84,
  hook_resid_mid: 76,
  hook_resid_post: 84,
  hook_resid_mid_cross: 75,
  hook_resid_sum: 74,
  hook_pattern: 82,
  W_in: 78,
  W_gate: 78,
  W_out: 78,
  W_O: 74,
  W_Q: 73,
  W_K: 72,
  W_V: 72,
  hook_q: 68,
  hook_k: 67,
  hook_v: 67,
  hook_z: 66,
  hook_attn_out: 64,
  hook_mlp_out: 64,
  hook_cross_attn_out: 64,
  hook_rot_q: 57,
  hook_rot_k: 55,
  hook_gate: 61,
  hook_pre_linear: 61,
  hook_pre: 62,
  hook_post: 62,
  hook_out: 58,
  hook_normalized: 30,
  hook_attn_scores: 56,
  hook_attn_scores_raw: 40,
};
const BY_ROLE = { weight: 20, activation: 50, probability: 80, summary: 10 };

/** The short name of a tensor, such as `W_Q`, `pattern`, `ln1 scale`, `cross pattern`. */
export function labelOf(tensor: TensorInfo): string {
  const path = tensor.name.split(".");
  const leaf = path.at(-1)!.replace(/^hook_/, "");
  const owner = path.at(-2) ?? "";
  if (owner.startsWith("ln") || owner.endsWith("_norm")) return normLabel(owner.replaceAll("_", " "), leaf);
  if (owner === "mlm_head") return `head ${leaf}`;
  const word = WORDS[leaf] ?? leaf;
  if (owner === "cross_attn") return `cross ${word}`;
  return tensor.transposed && tensor.same_as ? `${word} = ${tensor.same_as} transposed` : word;
}

/** Whose keys and values these are: `heads 3–5`. */
export function sharedBy(index: number, group: number): string {
  return `heads ${index * group}–${index * group + group - 1}`;
}

function normLabel(norm: string, leaf: string): string {
  const words: Readonly<Record<string, string>> = { out: "", w: " gain", b: " bias" };
  return leaf === "normalized" ? leaf : `${norm}${words[leaf] ?? ` ${leaf}`}`;
}

/** How much a tensor's label matters: 0 to 100, larger wins. */
export function importanceOf(tensor: TensorInfo): number {
  return IMPORTANCE[tensor.kind.split(".").at(-1)!] ?? BY_ROLE[tensor.role];
}
