/** Under which name a tensor is drawn: not every one has plates of its own. The residual stream between two blocks
 *  has two names and one plate, and so may a tied weight, turned. */

import { findTensor, storedAs } from "../graph/shape";
import type { Graph } from "../graph/types";
import { platesOf } from "./plate-cell";
import type { Layout } from "./types";

export interface Shown {
  readonly tensor: string;
  /** Its two axes are swapped against those of the tensor asked for. */
  readonly turned: boolean;
}

/** A name of the same numbers that has plates; null where none has. */
export function shownAs(layout: Layout, graph: Graph, tensor: string): Shown | null {
  if (platesOf(layout, tensor).length > 0) return { tensor, turned: false };
  const info = findTensor(graph, tensor);
  if (!info) return null;
  const stored = storedAs(graph, info);
  const aliases = graph.tensors.filter((it) => it.same_as !== null && storedAs(graph, it) === stored);
  const drawn = [stored, ...aliases].find(({ name }) => platesOf(layout, name).length > 0);
  return drawn ? { tensor: drawn.name, turned: drawn.transposed !== info.transposed } : null;
}
