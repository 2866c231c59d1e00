/** Graphs of decoders of any size, for tests: the server's own answer for a small one, stretched.
 *
 *  Blocks differ by their number only, so the last block of the file stands for all that follow it.
 */

import answer from "../../../tests/fixtures/decoder_graph.json";
import type { Graph, Op, Read, TensorInfo } from "./types";

/** The sizes of a decoder, in the words of app/transformer/spec.py. */
export interface Spec {
  readonly layers: number;
  readonly heads: number;
  readonly d_model: number;
  readonly d_head: number;
  readonly d_mlp: number;
  readonly d_vocab: number;
  readonly positions: number;
  readonly tied?: boolean;
}

/** The five specs that every rule of the map is tested for, with the capacity each is laid out for. */
export const SPECS: Readonly<Record<string, Spec & { readonly capacity: number }>> = {
  sort: {
    layers: 3,
    heads: 3,
    d_model: 48,
    d_head: 16,
    d_mlp: 192,
    d_vocab: 3,
    positions: 11,
    tied: false,
    capacity: 11,
  },
  stories: {
    layers: 6,
    heads: 6,
    d_model: 192,
    d_head: 32,
    d_mlp: 768,
    d_vocab: 4096,
    positions: 256,
    capacity: 64,
  },
  small: {
    layers: 12,
    heads: 12,
    d_model: 768,
    d_head: 64,
    d_mlp: 3072,
    d_vocab: 50257,
    positions: 1024,
    capacity: 64,
  },
  large: {
    layers: 48,
    heads: 25,
    d_model: 1600,
    d_head: 64,
    d_mlp: 6400,
    d_vocab: 50257,
    positions: 1024,
    capacity: 64,
  },
  odd: {
    layers: 1,
    heads: 5,
    d_model: 20,
    d_head: 7,
    d_mlp: 50,
    d_vocab: 101,
    positions: 40,
    tied: false,
    capacity: 24,
  },
};

const LAST = 1;

/** The graph of a decoder with these sizes. */
export function decoderGraph(spec: Spec): Graph {
  const file: Graph = answer as Graph;
  const sizes = {
    ...file.sizes,
    pos: spec.positions,
    query_pos: spec.positions,
    key_pos: spec.positions,
    head: spec.heads,
    d_head: spec.d_head,
    d_model: spec.d_model,
    d_mlp: spec.d_mlp,
    d_vocab: spec.d_vocab,
  };
  const tensors = stretched(file.tensors, spec.layers, tensorIn)
    .map((tensor) => ({ ...tensor, shape: tensor.axes.map((axis) => sizes[axis as keyof typeof sizes]) }))
    .map((tensor) => (tensor.name === "W_U" && spec.tied === false ? untied(tensor) : tensor));
  const ops = stretched(file.ops, spec.layers, opIn).map((op) => finalNormOf(op, spec.layers - 1));
  return { tensors, ops, sizes };
}

function untied(tensor: TensorInfo): TensorInfo {
  return { ...tensor, same_as: null, transposed: false };
}

function stretched<Item extends { readonly layer: number | null }>(
  items: readonly Item[],
  layers: number,
  inLayer: (item: Item, layer: number) => Item,
): readonly Item[] {
  const before = items.slice(
    0,
    items.findIndex(({ layer }) => layer === LAST),
  );
  const last = items.filter(({ layer }) => layer === LAST);
  const after = items.slice(before.length + last.length);
  const added = Array.from({ length: Math.max(0, layers - 1) }, (_, i) =>
    last.map((item) => inLayer(item, i + 1)),
  );
  return [...before, ...added.flat(), ...after];
}

/** A name of the last block, or of the one before it, as it is when the last block has this number. */
function named(name: string, layer: number): string {
  return name.replace(/^blocks\.(\d+)\./, (_, number) => `blocks.${layer - LAST + Number(number)}.`);
}

function tensorIn(tensor: TensorInfo, layer: number): TensorInfo {
  const same_as = tensor.same_as && named(tensor.same_as, layer);
  return { ...tensor, layer, name: named(tensor.name, layer), same_as };
}

function opIn(op: Op, layer: number): Op {
  const reads = op.reads.map((read): Read => ({ ...read, tensor: named(read.tensor, layer) }));
  return { ...op, layer, output: named(op.output, layer), reads };
}

/** The last norm reads the last block's output, whichever that is. */
function finalNormOf(op: Op, layer: number): Op {
  if (op.layer !== null) return op;
  return { ...op, reads: op.reads.map((read) => ({ ...read, tensor: finalName(read.tensor, layer) })) };
}

function finalName(name: string, layer: number): string {
  return name === `blocks.${LAST}.hook_resid_post` ? `blocks.${layer}.hook_resid_post` : name;
}
