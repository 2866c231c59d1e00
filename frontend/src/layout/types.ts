/** What the layout makes of a graph: plates in space. One unit is one cell, and one cell is one number.
 *
 *  Axes of space: x runs right, y runs DOWN, z runs toward the viewer. The scene turns y over once, for three.js.
 */

import type { Positions } from "../graph/shape";
import type { Role } from "../graph/types";
import type { HeadArrangement } from "./head-arrangement";

/** One rectangle of one tensor: a flat box, one cell per number. */
export interface Plate {
  readonly id: number;
  /** The tensor shown; cell indices are in its own axis order. */
  readonly tensor: string;
  /** The tensor whose numbers fill the plate: `tensor`, or for a tied `W_U` the `W_E` it is the transpose of. */
  readonly source: string;
  readonly role: Role;
  readonly kind: string;
  readonly layer: number | null;
  /** Axis of `source` that runs down, and that runs right; null for an axis of length one (a vector's width). */
  readonly rowAxis: number | null;
  readonly columnAxis: number | null;
  /** For every axis of `source`: the fixed index (a head's, say); where the axis is row or column, the index of
   *  the plate's first cell along it (the vocabulary folds into strips, so it is not always zero). */
  readonly origin: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Upper left corner of the front face. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** What is written beside it; empty when a neighbour's label speaks for it (heads after the first). */
  readonly label: string;
  /** Which label yields where two would overlap: the one with the smaller number. */
  readonly importance: number;
}

/** Where data goes: a band from one plate to another through these points (y down). */
export interface Ribbon {
  readonly from: number;
  readonly to: number;
  readonly points: readonly (readonly [number, number, number])[];
  readonly width: number;
  readonly role: Role;
}

/** A named region: a block, its attention, a head, its MLP. */
export interface Region {
  /** Like a tensor's name, from the outside in: `blocks.3`, `blocks.3.attn`, `blocks.3.attn.head.5`. */
  readonly id: string;
  readonly name: string;
  readonly layer: number | null;
  readonly stack: "encoder" | "decoder" | null;
  readonly kind: "model" | "stack" | "block" | "attention" | "head" | "keys" | "mlp" | "embedding" | "output";
  readonly bounds: Bounds;
  /** Where its name may begin (lower left corner of the text) without lying on a plate, as seen from home. */
  readonly anchor: readonly [number, number, number];
  readonly importance: number;
}

export interface Bounds {
  readonly min: readonly [number, number, number];
  readonly max: readonly [number, number, number];
}

export interface Layout {
  readonly plates: readonly Plate[];
  readonly ribbons: readonly Ribbon[];
  readonly regions: readonly Region[];
  readonly bounds: Bounds;
  /** Token positions the plates have room for. */
  readonly capacity: Positions;
}

export interface LayoutOptions {
  /** Token positions to make room for: prompt plus what may be generated, and the source text of an
   *  encoder-decoder. One number stands for both. */
  readonly capacity: Positions | number;
  /** Width over height of the window: deep models wrap into columns to fill it. */
  readonly aspect: number;
  /** A fan unless given. */
  readonly heads?: HeadArrangement;
}
