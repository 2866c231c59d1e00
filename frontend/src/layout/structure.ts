/** What a model is made of, read from its graph: stacks, their sections, and the parts of a section in order.
 *
 *  Only the kinds of operations decide: a softmax over keys is attention, an addition puts something on the stream,
 *  a normalization is a norm. So every family's blocks are found by the same few lines.
 */

import { getTensor, opMaking } from "../graph/shape";
import type { Graph, Op } from "../graph/types";

export type StackName = "encoder" | "decoder" | null;

/** One part of a section. `name` is what its tensors' names begin with, or the tensor itself; of a look-up the table,
 *  or nothing where the other stack has drawn it. `output` is what comes out. */
export interface Part {
  readonly kind: "embed" | "sum" | "norm" | "attention" | "mlp" | "transform" | "unembed";
  readonly name: string;
  readonly output: string;
}

export interface Section {
  readonly kind: "embedding" | "block" | "output";
  readonly stack: StackName;
  readonly layer: number | null;
  readonly parts: readonly Part[];
  /** Weights that all blocks share and no part owns: rotary tables, the biases of distances. */
  readonly tables: readonly string[];
}

/** The stacks of a model: one, or an encoder and a decoder. */
export function stacksOf(graph: Graph): readonly StackName[] {
  return [...new Set(graph.ops.filter(({ layer }) => layer !== null).map(({ stack }) => stack))];
}

/** All sections of a model, stack by stack, from top to bottom. */
export function sectionsOf(graph: Graph): readonly Section[] {
  const stacks = stacksOf(graph);
  return stacks.flatMap((stack, i) => {
    const isLast = i === stacks.length - 1;
    const ops = graph.ops.filter((op) => op.stack === stack || (isLast && op.stack === null));
    const opening = openingOf(ops);
    const embedding = partsOf(graph, opening).map((part) =>
      part.kind === "embed" && i > 0 && getTensor(graph, part.name).stack === null
        ? { ...part, name: "" }
        : part,
    );
    const rest = ops.filter((op) => !opening.includes(op));
    const layers = [...new Set(rest.flatMap(({ layer }) => (layer === null ? [] : [layer])))];
    const tables = tablesOf(graph, stack, i === 0);
    return [
      { kind: "embedding", stack, layer: null, parts: embedding, tables } as const,
      ...layers.map((layer): Section => {
        const own = rest.filter((op) => op.layer === layer);
        return { kind: "block", stack, layer, parts: partsOf(graph, own), tables: [] };
      }),
      { kind: "output", stack, layer: null, parts: partsOf(graph, afterBlocks(rest)), tables: [] } as const,
    ];
  });
}

const afterBlocks = (ops: readonly Op[]): readonly Op[] => ops.filter(({ layer }) => layer === null);

/** Looking up, adding up and, where there is one, the norm of the sum: all before the first block. */
function openingOf(ops: readonly Op[]): readonly Op[] {
  const lookedUp = new Set(ops.filter(({ kind }) => kind === "embed").map(({ output }) => output));
  const isSum = ({ kind, reads }: Op): boolean =>
    kind === "add" && reads.every(({ tensor }) => lookedUp.has(tensor));
  const first = ops.findIndex((op) => op.layer !== null && !isSum(op));
  return ops.slice(0, first < 0 ? undefined : first);
}

function tablesOf(graph: Graph, stack: StackName, isFirst: boolean): readonly string[] {
  const readByBlocks = new Set(
    graph.ops.filter(({ layer }) => layer !== null).flatMap(({ reads }) => reads.map(({ tensor }) => tensor)),
  );
  const found = graph.tensors.filter(({ name, role, layer, stack: own }) => {
    const here = own === stack || (own === null && isFirst);
    return here && role === "weight" && layer === null && readByBlocks.has(name);
  });
  return found.map(({ name }) => name);
}

const ownerOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf(".")));

function partsOf(graph: Graph, ops: readonly Op[]): readonly Part[] {
  return ops.flatMap((op): Part[] => {
    const owner = ownerOf(op.output);
    switch (op.kind) {
      case "embed":
        return [{ kind: "embed", name: op.reads[0]!.tensor, output: op.output }];
      case "add":
        return [{ kind: "sum", name: op.output, output: op.output }];
      case "normalize":
        // The norms of queries and keys belong to their attention.
        if (getTensor(graph, op.output).axes.length > 2) return [];
        return [{ kind: "norm", name: owner, output: readerOf(ops, op.output)?.output ?? op.output }];
      case "softmax":
        if (op.constants.axis !== "key_pos") return [{ kind: "unembed", name: owner, output: op.output }];
        return [{ kind: "attention", name: owner, output: leaving(ops, owner) }];
      case "activation":
        if (op.layer === null) return [{ kind: "transform", name: owner, output: op.output }];
        return [{ kind: "mlp", name: owner, output: leaving(ops, owner) }];
      default:
        return [];
    }
  });
}

function readerOf(ops: readonly Op[], tensor: string): Op | undefined {
  return ops.find(({ reads }) => reads[0]?.tensor === tensor);
}

/** What a sub-layer gives to the stream: made from its own tensors, but not one of them. */
function leaving(ops: readonly Op[], owner: string): string {
  const own = `${owner}.`;
  const op = ops.find(
    ({ output, reads }) => !output.startsWith(own) && reads.some(({ tensor }) => tensor.startsWith(own)),
  );
  if (!op) throw new Error(`nothing reads what ${owner} makes`);
  return op.output;
}

/** Names of the tensors that carry the residual stream: sums, what sums go on from, and what a stack hands to the
 *  other one. In post-norm blocks these are outputs of norms. */
export function streamOf(graph: Graph): ReadonlySet<string> {
  const stream = new Set<string>();
  const stackOf = new Map(graph.ops.map(({ output, stack }) => [output, stack]));
  for (const tensor of graph.tensors) if (tensor.kind.startsWith("hook_resid")) stream.add(tensor.name);
  for (const { kind, output, reads, layer, stack } of graph.ops) {
    if (kind === "add") stream.add(output);
    if (kind === "add" && layer !== null && !isOfEmbeddings(graph, reads)) stream.add(reads[0]!.tensor);
    for (const { tensor } of reads) {
      const from = stackOf.get(tensor);
      if (from && stack !== null && from !== stack) stream.add(tensor);
    }
  }
  return stream;
}

function isOfEmbeddings(graph: Graph, reads: Op["reads"]): boolean {
  return reads.every(({ tensor }) => opMaking(graph, tensor)?.kind === "embed");
}
