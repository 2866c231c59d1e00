/** From a tensor to a plate at a place: the one maker of plates, so that scale and orientation hold everywhere. */

import { findTensor, isTokenAxis, storedAs } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import { importanceOf, labelOf } from "./labels";
import type { Measures, Strip } from "./measures";
import type { Orientation } from "./orientation";
import type { Plate } from "./types";

/** A plate, and what ribbons and regions need to know of it. */
export interface Sheet extends Plate {
  /** Index along the axis that parts the tensor into plates, or null. */
  readonly head: number | null;
  /** Whether positions run right, as in all but what has the vocabulary, neurons or keys running right. */
  readonly positionsRight: boolean;
  /** Whether it is the residual stream. */
  readonly spine: boolean;
  /** The column of the map that it stands in, and where that column's stream is. */
  readonly column: number;
  readonly streamX: number;
}

/** Where a sheet goes, from the section's origin: on the stream, at the section's top. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly z?: number;
  readonly head?: number;
  /** The part of the axis that runs right; all of it unless given. */
  readonly strip?: Strip;
}

/** Where a section goes. */
export interface Origin {
  readonly column: number;
  readonly x: number;
  readonly y: number;
}

/** A drawn tensor is not the same numbers under a second name, except a transposed one, and not a heads' result
 *  that only exists when asked for (their sum is what the model computes). */
export function isDrawn(tensor: TensorInfo): boolean {
  if (tensor.same_as !== null && !tensor.transposed) return false;
  return !(tensor.derived && tensor.role === "activation");
}

/** What sections are drawn on: it collects sheets, numbered in the order in which they are put down. */
export class Paper {
  readonly sheets: Sheet[] = [];
  /** The origin of the section being drawn. */
  origin: Origin = { column: 0, x: 0, y: 0 };

  constructor(
    readonly graph: Graph,
    readonly measures: Measures,
    readonly orientations: ReadonlyMap<string, Orientation>,
  ) {}

  /** Put down a tensor's plate (one head's, one strip's); nothing where the graph does not have the tensor. */
  put(name: string, place: Place): void {
    const tensor = findTensor(this.graph, name);
    if (!tensor || !isDrawn(tensor)) return;
    const { down, right, split } = this.orientations.get(name)!;
    const origin = tensor.axes.map(() => 0);
    if (split !== null) origin[split] = place.head ?? 0;
    if (right !== null && place.strip) origin[right] = place.strip.start;
    const flipped = tensor.transposed;
    const isFirst = (place.head ?? 0) === 0 && (place.strip?.start ?? 0) === 0;
    this.sheets.push({
      id: this.sheets.length,
      tensor: name,
      source: flipped ? storedAs(this.graph, tensor).name : name,
      role: tensor.role,
      kind: tensor.kind,
      layer: tensor.layer,
      rowAxis: flipped && down !== null ? 1 - down : down,
      columnAxis: flipped && right !== null ? 1 - right : right,
      origin: flipped ? origin.reverse() : origin,
      rows: this.lengthAlong(tensor, down),
      columns: place.strip?.length ?? this.lengthAlong(tensor, right),
      x: this.origin.x + place.x,
      y: this.origin.y + place.y,
      z: place.z ?? 0,
      label: isFirst ? labelOf(tensor) : "",
      importance: importanceOf(tensor),
      head: split === null ? null : (place.head ?? 0),
      positionsRight: right !== null && tensor.axes[right] === "pos",
      spine: tensor.kind.startsWith("hook_resid"),
      column: this.origin.column,
      streamX: this.origin.x,
    });
  }

  private lengthAlong(tensor: TensorInfo, axis: number | null): number {
    if (axis === null) return 1;
    const size = tensor.shape[axis]!;
    const grows = tensor.role !== "weight" && isTokenAxis(tensor.axes[axis]!);
    return grows ? Math.min(size, this.measures.positions) : size;
  }
}
