/** Which axis of a tensor runs down and which runs right, and which one parts it into plates.
 *
 *  Positions run right and features down. Of a weight, what it reads runs right and what it writes runs down:
 *  then a residual vector, which is a column, is multiplied by the weight's rows. `d_mlp`, `d_vocab` and the keys
 *  of a pattern always run right. All of it follows from axis names and the graph's reads; no tensor is named.
 */

import type { Graph, TensorInfo } from "../graph/types";

export interface Orientation {
  /** Index into the tensor's axes; null where the plate is one cell high. */
  readonly down: number | null;
  /** Index into the tensor's axes; null where the plate is one cell wide. */
  readonly right: number | null;
  /** The axis with one plate per index (`head`), if there is one. */
  readonly split: number | null;
}

const SPLIT = ["head", "kv_head"];
/** Axes that run right wherever they occur; the earlier wins where two meet. */
const RIGHT = ["d_vocab", "d_mlp", "key_pos", "pos", "token_type", "bucket"];

/** Axes that some operation sums a tensor over: what a weight reads. */
function contractedAxes(graph: Graph): ReadonlyMap<string, ReadonlySet<string>> {
  const contracted = new Map<string, Set<string>>();
  for (const op of graph.ops)
    for (const read of op.reads)
      for (const expression of read.index)
        if ("free" in expression) {
          const axes = contracted.get(read.tensor) ?? new Set();
          contracted.set(read.tensor, axes.add(expression.free));
        }
  return contracted;
}

/** The orientation of every tensor, by name. */
export function orientations(graph: Graph): ReadonlyMap<string, Orientation> {
  const contracted = contractedAxes(graph);
  return new Map(
    graph.tensors.map((tensor) => [tensor.name, orientationOf(tensor, contracted.get(tensor.name))]),
  );
}

function orientationOf(tensor: TensorInfo, contracted: ReadonlySet<string> | undefined): Orientation {
  const split = tensor.axes.findIndex((axis) => SPLIT.includes(axis));
  const flat = tensor.axes.map((_, i) => i).filter((i) => i !== split);
  if (flat.length > 2) throw new Error(`${tensor.name} has more axes than a plate can show`);
  const always = RIGHT.map((axis) => tensor.axes.indexOf(axis)).find((i) => i >= 0);
  const read = flat.length === 2 ? flat.find((i) => contracted?.has(tensor.axes[i]!)) : undefined;
  const right = always ?? read ?? (flat.length === 2 ? flat[1]! : null);
  const down = flat.find((i) => i !== right) ?? null;
  return { down, right, split: split < 0 ? null : split };
}
