/** What the arithmetic of one cell is, and what a script that plays it holds: a script is written once from an
 *  explanation; what flies at a time follows from script and time alone, so that it can run, stop, and be dragged
 *  either way.
 */

import type { Point } from "../../layout/view";

/** One number somewhere: of a tensor, or on its way. */
export interface NumberAt {
  readonly tensor: string;
  readonly index: readonly number[];
  readonly value: number | null;
}

/** What the script is written from: the part of an explanation that says how the number comes about. */
export interface Sum {
  /** What becomes of a term's operands before terms are put together; null: each is taken as it is. */
  readonly merging: string | null;
  /** Stands between the operands of one term. */
  readonly sign: string;
  /** Where there are any, the input goes through them one after another, and there are no terms. */
  readonly steps: readonly Step[];
  readonly target: NumberAt;
  readonly combine: "sum" | "root" | "divisor" | "largest" | null;
  readonly terms: readonly { readonly operands: readonly NumberAt[]; readonly value: number | null }[];
  /** Terms that are not listed: how many, and their sum. */
  readonly rest: { readonly count: number; readonly sum: number | null } | null;
  readonly bias: number | null;
  /** Cells of operands that are not in the terms shown one by one: they fly to the rest, without numbers. */
  readonly swarm?: readonly NumberAt[];
  /** Operands of a single cell, by what they are to the operation. */
  readonly parts: ReadonlyMap<string, NumberAt>;
}

/** One step: the number joins what there is, which becomes another. `words` say so, without the number. */
export interface Step {
  readonly joins: NumberAt | null;
  readonly sign: string;
  readonly becomes: number | null;
  readonly words: string;
}

/** Where the arithmetic is laid out: upper left corner, and how large a cell is there. */
export interface Slip {
  readonly corner: Point;
  readonly cell: number;
}

/** A stretch of the clock, from 0 to 1, and what happens in it. */
export interface Phase {
  readonly name: string;
  readonly start: number;
  readonly stop: number;
  readonly words: string;
}

export interface Script {
  readonly phases: readonly Phase[];
  readonly paths: readonly FlightPath[];
  /** Seconds at the usual pace. */
  readonly seconds: number;
  readonly slip: Slip;
  /** Width and height of the slip, in layout units. */
  readonly extent: readonly [number, number];
}

/** A cell at one of its turning points. */
export interface Key {
  readonly at: number;
  readonly position: Point;
  readonly size: number;
  readonly value: number | null;
  readonly strength: number;
  readonly label: string;
  /** Where its colours are those of another tensor than the path's. */
  readonly scaleOf?: string;
}

export interface FlightPath {
  readonly scaleOf: string;
  /** What leaves a cell that stays: its number is written there already. */
  readonly quiet?: boolean;
  readonly keys: readonly Key[];
}

/** Rows on the slip: more terms than these are one row. */
export const MOST_ROWS = 8;

/** Where a cell stands; null for what has no plate. */
export type Where = (tensor: string, index: readonly number[]) => Point | null;
