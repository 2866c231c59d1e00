/** Graphs of models of any size and family, for tests: the server's own answer for a small one, stretched.
 *
 *  Blocks differ by their number only, so the last block of the file stands for all that follow it.
 */

import decoder from "../../../tests/fixtures/decoder_graph.json";
import families from "../../../tests/fixtures/family_graphs.json";
import type { Positions } from "./shape";
import type { Graph, IndexExpression, Op, Read, TensorInfo } from "./types";

/** The sizes of a model, in the words of app/transformer/spec.py. */
export interface Spec {
  readonly layers: number;
  readonly heads: number;
  readonly d_model: number;
  readonly d_head: number;
  readonly d_mlp: number;
  readonly d_vocab: number;
  readonly positions: number;
  readonly tied?: boolean;
  /** As many as heads unless given. */
  readonly kv_heads?: number;
  /** Blocks of an encoder-decoder's encoder; as many as layers unless given. */
  readonly encoder_layers?: number;
  /** Source positions of an encoder-decoder; as many as the target's unless given. */
  readonly source_positions?: number;
}

/** The names of the families in the file. */
export type Family = keyof typeof families;

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

/** The graph of a GPT-2-like decoder with these sizes. */
export function decoderGraph(spec: Spec): Graph {
  return stretch(decoder as Graph, spec);
}

/** The graph of a family: as it is in the file, or with other sizes. */
export function familyGraph(family: Family, spec?: Spec): Graph {
  const file = (families as unknown as Readonly<Record<Family, Graph>>)[family];
  return spec ? stretch(file, spec) : file;
}

const LAST = 1;

function stretch(file: Graph, spec: Spec): Graph {
  const sizes = sizesOf(file, spec);
  const layersOf = (stack: string | null): number =>
    stack === "encoder" ? (spec.encoder_layers ?? spec.layers) : spec.layers;
  const tensors = stretched(file.tensors, layersOf, tensorIn)
    .map((tensor) => ({
      ...tensor,
      shape: tensor.axes.map((axis) => sizes[tensor.source_axes.includes(axis) ? "source_pos" : axis]!),
    }))
    .map((tensor) => (tensor.name === "W_U" && spec.tied === false ? untied(tensor) : tensor));
  const ops = stretched(file.ops, layersOf, opIn)
    .map((op) => lastBlocksOf(op, layersOf))
    .map((op) => ({ ...op, reads: op.reads.map((read) => sized(read, file, sizes)) }));
  return { tensors: tensors.map((tensor) => lastAliasOf(tensor, layersOf)), ops, sizes };
}

function sizesOf(file: Graph, spec: Spec): Readonly<Record<string, number>> {
  const shared = file.sizes.kv_head === file.sizes.head ? spec.heads : spec.kv_heads;
  return {
    ...file.sizes,
    pos: spec.positions,
    query_pos: spec.positions,
    key_pos: spec.positions,
    head: spec.heads,
    kv_head: shared ?? spec.heads,
    d_head: spec.d_head,
    d_model: spec.d_model,
    d_mlp: spec.d_mlp,
    d_vocab: spec.d_vocab,
    ...(file.sizes.source_pos ? { source_pos: spec.source_positions ?? spec.positions } : {}),
    ...(file.sizes.d_transform ? { d_transform: spec.d_model } : {}),
  };
}

function untied(tensor: TensorInfo): TensorInfo {
  return { ...tensor, same_as: null, transposed: false };
}

interface InStack {
  readonly layer: number | null;
  readonly stack: string | null;
}

/** Every run of items of a stack's last block, once for each block from there on. */
function stretched<Item extends InStack>(
  items: readonly Item[],
  layersOf: (stack: string | null) => number,
  inLayer: (item: Item, layer: number) => Item,
): readonly Item[] {
  return items.flatMap((item, i) => {
    if (item.layer !== LAST) return [item];
    if (items[i - 1]?.layer === LAST) return [];
    const end = items.findIndex(({ layer }, j) => j > i && layer !== LAST);
    const block = items.slice(i, end < 0 ? undefined : end);
    const count = Math.max(0, layersOf(item.stack) - LAST);
    return Array.from({ length: count }, (_, more) => block.map((it) => inLayer(it, LAST + more))).flat();
  });
}

/** A name of the last block, or of the one before it, as it is when the last block has this number. */
function named(name: string, layer: number, stack: string | null): string {
  const own = stack ? `${stack}.blocks.` : "blocks.";
  if (!name.startsWith(own)) return name;
  return name.replace(/blocks\.(\d+)\./, (_, number) => `blocks.${layer - LAST + Number(number)}.`);
}

function tensorIn(tensor: TensorInfo, layer: number): TensorInfo {
  const same_as = tensor.same_as && named(tensor.same_as, layer, tensor.stack);
  return { ...tensor, layer, name: named(tensor.name, layer, tensor.stack), same_as };
}

function opIn(op: Op, layer: number): Op {
  const reads = op.reads.map((read) => ({ ...read, tensor: named(read.tensor, layer, op.stack) }));
  return { ...op, layer, output: named(op.output, layer, op.stack), reads };
}

/** Lets an operation that reads another stack read the output of that stack's last block. */
function lastBlocksOf(op: Op, layersOf: (stack: string | null) => number): Op {
  return { ...op, reads: op.reads.map((read) => ({ ...read, tensor: lastName(read.tensor, op, layersOf) })) };
}

function lastAliasOf(tensor: TensorInfo, layersOf: (stack: string | null) => number): TensorInfo {
  return tensor.same_as ? { ...tensor, same_as: lastName(tensor.same_as, tensor, layersOf) } : tensor;
}

function lastName(
  name: string,
  { layer, stack }: InStack,
  layersOf: (stack: string | null) => number,
): string {
  const match = /^(?:(encoder|decoder)\.)?blocks\.1\.hook_resid_post$/.exec(name);
  const from = match?.[1] ?? null;
  if (!match || (layer !== null && stack === from)) return name;
  return `${from ? `${from}.` : ""}blocks.${layersOf(from) - 1}.hook_resid_post`;
}

/** Indices that depend on sizes: groups of heads that share keys, and pairs, as large a part of a head as before. */
function sized(read: Read, file: Graph, sizes: Readonly<Record<string, number>>): Read {
  const grown = (count: number): number =>
    Math.max(2, 2 * Math.round((count * sizes.d_head!) / file.sizes.d_head! / 2));
  const index = read.index.map((expression): IndexExpression => {
    if ("axis" in expression && expression.divide > 1)
      return { ...expression, divide: sizes.head! / sizes.kv_head! };
    return "pair" in expression ? { ...expression, size: grown(expression.size) } : expression;
  });
  const where =
    read.where?.replace(/d_head < (\d+)/, (_, count) => `d_head < ${grown(Number(count))}`) ?? null;
  return { ...read, index, where };
}

/** One model of every family, in sizes of real ones, with the capacity each is laid out for. */
export const FAMILIES: readonly {
  readonly name: string;
  readonly family: Family;
  readonly spec: Spec;
  readonly capacity: Positions | number;
}[] = [
  {
    name: "SmolLM2",
    family: "llama",
    spec: {
      layers: 30,
      heads: 9,
      kv_heads: 3,
      d_model: 576,
      d_head: 64,
      d_mlp: 1536,
      d_vocab: 49152,
      positions: 2048,
    },
    capacity: 64,
  },
  {
    name: "a Qwen 2 with one key head",
    family: "qwen2",
    spec: {
      layers: 4,
      heads: 7,
      kv_heads: 1,
      d_model: 896,
      d_head: 128,
      d_mlp: 4864,
      d_vocab: 20000,
      positions: 512,
      tied: false,
    },
    capacity: 40,
  },
  {
    name: "a Qwen 3",
    family: "qwen3",
    spec: {
      layers: 6,
      heads: 16,
      kv_heads: 8,
      d_model: 1024,
      d_head: 128,
      d_mlp: 3072,
      d_vocab: 30000,
      positions: 1024,
    },
    capacity: 100,
  },
  {
    name: "Pythia 70M",
    family: "neox",
    spec: {
      layers: 6,
      heads: 8,
      d_model: 512,
      d_head: 64,
      d_mlp: 2048,
      d_vocab: 50304,
      positions: 2048,
      tied: false,
    },
    capacity: 64,
  },
  {
    name: "a small Phi",
    family: "phi",
    spec: {
      layers: 5,
      heads: 4,
      d_model: 64,
      d_head: 16,
      d_mlp: 256,
      d_vocab: 500,
      positions: 64,
      tied: false,
    },
    capacity: 20,
  },
  {
    name: "BERT base",
    family: "bert",
    spec: { layers: 12, heads: 12, d_model: 768, d_head: 64, d_mlp: 3072, d_vocab: 30522, positions: 512 },
    capacity: 32,
  },
  {
    name: "fill",
    family: "fill",
    spec: { layers: 4, heads: 4, d_model: 192, d_head: 48, d_mlp: 768, d_vocab: 4096, positions: 128 },
    capacity: 128,
  },
  {
    name: "a Flan T5 small",
    family: "t5",
    spec: {
      layers: 8,
      encoder_layers: 8,
      heads: 6,
      d_model: 512,
      d_head: 64,
      d_mlp: 1024,
      d_vocab: 32128,
      positions: 512,
      tied: false,
    },
    capacity: { target: 20, source: 48 },
  },
  {
    name: "translate",
    family: "marian",
    spec: {
      layers: 3,
      encoder_layers: 2,
      heads: 4,
      d_model: 128,
      d_head: 32,
      d_mlp: 512,
      d_vocab: 700,
      positions: 48,
      source_positions: 40,
    },
    capacity: { target: 48, source: 17 },
  },
];
