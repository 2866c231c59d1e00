/** Lets a lens follow what is chosen on the page: the block, head, neuron and positions of the cell chosen in
 *  the map, and the token chosen in the text, wherever the reader of the lens has not chosen otherwise. */

import { findTensor } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import type { LensParameter, LensQuery } from "../../net/lenses";
import { type Cell, graph, position, selected } from "../../state/store";

/** The axes of a tensor along which a parameter is chosen, by its name. */
const AXES: Readonly<Record<string, readonly string[]>> = {
  pos: ["pos", "query_pos"],
  query: ["query_pos"],
  key: ["key_pos"],
  head: ["head"],
  neuron: ["d_mlp"],
};
/** Chooses which stack's or which attention's cells are meant; a cell of another one says nothing. */
const PART = "part";

/** Reads a parameter off the chosen cell; null where it says nothing, or nothing that can be had. */
export function chosenFor(
  parameter: LensParameter,
  cell: Cell | null,
  of: Graph | null,
  at: number | null,
): number | null {
  if (parameter.kind !== "index") return null;
  const within = (value: number | null | undefined) =>
    value !== null && value !== undefined && value < parameter.size ? value : null;
  if (parameter.name === "pos" && at !== null) return within(at);
  const tensor = cell && of && findTensor(of, cell.tensor);
  if (!tensor) return null;
  if (parameter.name === "layer") return within(tensor.layer);
  const axes = AXES[parameter.name] ?? [];
  const axis = tensor.axes.findIndex((name) => axes.includes(name));
  if (axis < 0 || (parameter.name === "pos" && tensor.source_axes.includes(tensor.axes[axis]!))) return null;
  return within(cell.index[axis]);
}

/** The part that a tensor belongs to, as lenses call it. */
function partOf(tensor: string, choices: readonly string[]): string | null {
  const stack = tensor.startsWith("encoder.")
    ? "encoder"
    : tensor.startsWith("decoder.")
      ? "decoder"
      : "self";
  const part = tensor.includes(".cross_attn.") ? "cross" : stack;
  return choices.includes(part) ? part : null;
}

/** Puts together what a lens is asked: what was chosen in it, and what is chosen on the page where the lens has it. */
export function askedOf(parameters: readonly LensParameter[], query: LensQuery): LensQuery {
  const asked: Record<string, string> = {};
  const part = parameters.find(({ name }) => name === PART);
  const shown = query[PART] ?? part?.default;
  const cell = selected.value;
  // A lens of one part does not jump to a cell of another.
  const other = cell && part && shown !== undefined && partOf(cell.tensor, part.choices) !== shown;
  for (const parameter of parameters) {
    const own = query[parameter.name];
    const chosen = chosenFor(parameter, other ? null : cell, graph.value, position.value);
    if (own !== undefined) asked[parameter.name] = own;
    else if (chosen !== null) asked[parameter.name] = `${chosen}`;
  }
  return asked;
}
