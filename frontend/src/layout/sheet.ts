/** From a tensor to a plate at a place: the one maker of plates, so that scale and orientation hold everywhere. */

import { findTensor, isTokenAxis, storedAs } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import { importanceOf, labelOf } from "./labels";
import type { Measures, Strip } from "./measures";
import type { Orientation } from "./orientation";
import type { Plate } from "./types";

/** What sections are drawn from. */
export interface Drawing {
  readonly graph: Graph;
  readonly measures: Measures;
  readonly orientations: ReadonlyMap<string, Orientation>;
}

/** A plate before it has its number, and what ribbons and regions need to know of it. */
export interface Piece extends Omit<Plate, "id"> {
  /** Index along the axis that parts the tensor into plates, or null. */
  readonly head: number | null;
  /** Whether positions run right, as in all but what has the vocabulary, neurons or keys running right. */
  readonly positionsRight: boolean;
  /** Whether it is the residual stream. */
  readonly spine: boolean;
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly z?: number;
  readonly head?: number;
  /** The part of the axis that runs right; all of it unless given. */
  readonly strip?: Strip;
}

/** A drawn tensor is not the same numbers under a second name, except a transposed one, and not a heads' result
 *  that only exists when asked for (their sum is what the model computes). */
export function isDrawn(tensor: TensorInfo): boolean {
  if (tensor.same_as !== null && !tensor.transposed) return false;
  return !(tensor.derived && tensor.role === "activation");
}

/** The plate of a tensor (of one head of it) at a place; none where the graph does not have the tensor. */
export function sheet(drawing: Drawing, name: string, place: Place): readonly Piece[] {
  const tensor = findTensor(drawing.graph, name);
  if (!tensor || !isDrawn(tensor)) return [];
  const orientation = drawing.orientations.get(name)!;
  const { down, right } = orientation;
  const extent = (axis: number | null): number =>
    axis === null ? 1 : lengthAlong(tensor, axis, drawing.measures.positions);
  const origin = tensor.axes.map(() => 0);
  if (orientation.split !== null) origin[orientation.split] = place.head ?? 0;
  if (right !== null && place.strip) origin[right] = place.strip.start;
  const flip = (axis: number | null): number | null =>
    axis === null || !tensor.transposed ? axis : 1 - axis;
  return [
    {
      tensor: name,
      source: tensor.transposed ? storedAs(drawing.graph, tensor).name : name,
      role: tensor.role,
      kind: tensor.kind,
      layer: tensor.layer,
      rowAxis: flip(down),
      columnAxis: flip(right),
      origin: tensor.transposed ? origin.reverse() : origin,
      rows: extent(down),
      columns: place.strip?.length ?? extent(right),
      x: place.x,
      y: place.y,
      z: place.z ?? 0,
      label: (place.head ?? 0) === 0 && (place.strip?.start ?? 0) === 0 ? labelOf(tensor) : "",
      importance: importanceOf(tensor),
      head: orientation.split === null ? null : (place.head ?? 0),
      positionsRight: right !== null && tensor.axes[right] === "pos",
      spine: tensor.kind.startsWith("hook_resid"),
    },
  ];
}

function lengthAlong(tensor: TensorInfo, axis: number, positions: number): number {
  const size = tensor.shape[axis]!;
  return tensor.role !== "weight" && isTokenAxis(tensor.axes[axis]!) ? Math.min(size, positions) : size;
}

/** The same pieces elsewhere. */
export function moved(pieces: readonly Piece[], dx: number, dy: number): readonly Piece[] {
  return pieces.map((piece) => ({ ...piece, x: piece.x + dx, y: piece.y + dy }));
}
