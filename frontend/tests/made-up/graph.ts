/** A graph that no model has: a token is looked up, goes through one small MLP, and is turned into shares of what comes
 *  next. Five words, four features, six neurons. */

import type { Graph, IndexExpression, Op, Read, TensorInfo } from "../../src/graph/types";

const SIZES = { pos: 3, query_pos: 3, key_pos: 3, head: 1, kv_head: 1, d_model: 4, d_mlp: 6, d_vocab: 5 };

type Axis = keyof typeof SIZES;

function tensor(
  name: string,
  role: TensorInfo["role"],
  axes: readonly Axis[],
  layer: number | null,
): TensorInfo {
  const shape = axes.map((axis) => SIZES[axis]);
  const kind = name.split(".").at(-1)!;
  const rest = { same_as: null, transposed: false, derived: false, stack: null, source_axes: [] };
  return { name, role, axes, kind, layer, shape, learned: role === "weight", ...rest };
}

const at = (axis: Axis): IndexExpression => ({ axis, divide: 1 });
const free = (axis: Axis): IndexExpression => ({ free: axis });
const read = (name: string, ...index: readonly IndexExpression[]): Read => ({
  tensor: name,
  index,
  part: "input",
  where: null,
});

function op(kind: Op["kind"], output: string, layer: number | null, title: string, ...reads: Read[]): Op {
  const constants =
    kind === "softmax" ? { axis: "d_vocab" } : kind === "activation" ? { function: "relu" } : {};
  return { kind, output, layer, title, reads, constants, equation: title, stack: null };
}

const token: IndexExpression = { lookup: "tokens", index: [{ axis: "pos", divide: 1 }] };

export const graph: Graph = {
  sizes: SIZES,
  tensors: [
    tensor("W_E", "weight", ["d_vocab", "d_model"], null),
    tensor("hook_embed", "activation", ["pos", "d_model"], null),
    tensor("blocks.0.mlp.W_in", "weight", ["d_model", "d_mlp"], 0),
    tensor("blocks.0.mlp.hook_pre", "activation", ["pos", "d_mlp"], 0),
    tensor("blocks.0.mlp.hook_post", "activation", ["pos", "d_mlp"], 0),
    tensor("blocks.0.mlp.W_out", "weight", ["d_mlp", "d_model"], 0),
    tensor("blocks.0.hook_mlp_out", "activation", ["pos", "d_model"], 0),
    tensor("blocks.0.hook_resid_post", "activation", ["pos", "d_model"], 0),
    tensor("W_U", "weight", ["d_model", "d_vocab"], null),
    tensor("logits", "activation", ["pos", "d_vocab"], null),
    tensor("probabilities", "probability", ["pos", "d_vocab"], null),
  ],
  ops: [
    op("embed", "hook_embed", null, "look up each word", read("W_E", token, at("d_model"))),
    op(
      "einsum",
      "blocks.0.mlp.hook_pre",
      0,
      "six questions to each word",
      read("hook_embed", at("pos"), free("d_model")),
      read("blocks.0.mlp.W_in", free("d_model"), at("d_mlp")),
    ),
    op(
      "activation",
      "blocks.0.mlp.hook_post",
      0,
      "only what is above zero",
      read("blocks.0.mlp.hook_pre", at("pos"), at("d_mlp")),
    ),
    op(
      "einsum",
      "blocks.0.hook_mlp_out",
      0,
      "six answers, weighed",
      read("blocks.0.mlp.hook_post", at("pos"), free("d_mlp")),
      read("blocks.0.mlp.W_out", free("d_mlp"), at("d_model")),
    ),
    op(
      "add",
      "blocks.0.hook_resid_post",
      0,
      "added to the word",
      read("hook_embed", at("pos"), at("d_model")),
      read("blocks.0.hook_mlp_out", at("pos"), at("d_model")),
    ),
    op(
      "einsum",
      "logits",
      null,
      "a score for every word",
      read("blocks.0.hook_resid_post", at("pos"), free("d_model")),
      read("W_U", free("d_model"), at("d_vocab")),
    ),
    op(
      "softmax",
      "probabilities",
      null,
      "shares of what comes next",
      read("logits", at("pos"), at("d_vocab")),
      { ...read("logits", at("pos"), free("d_vocab")), part: "row" },
    ),
  ],
};
