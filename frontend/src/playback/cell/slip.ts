/** The slip of paper on which a cell's arithmetic is laid out, in columns and rows of cells. */

import type { Point } from "../../layout/view";
import type { Slip } from "./script";

const ROW = 1.4;
/** Room for a cell, the number beside it, and the sign of the next. */
export const COLUMN = 5.2;
/** What the number of the last column needs. */
const NUMBER = 3.4;
const MARGIN = 1.2;

/** A place on the slip, in columns and rows of cells. */
export function onSlip({ corner, cell }: Slip, column: number, row: number): Point {
  return [
    corner[0] + (MARGIN + 0.5 + column * COLUMN) * cell,
    corner[1] + (MARGIN + 0.5 + row * ROW) * cell,
    corner[2],
  ];
}

export function extentOf({ cell }: Slip, columns: number, rows: number): readonly [number, number] {
  return [
    (2 * MARGIN + 1 + (columns - 1) * COLUMN + NUMBER) * cell,
    (2 * MARGIN + 1 + (rows - 1) * ROW) * cell,
  ];
}

/** How large a cell is as it leaves its plate: from where the whole sum is seen it would be too small to be followed. */
export const leavingSize = ({ cell }: Slip): number => Math.max(1, 0.4 * cell);

/** How strong what is done with stays on the slip. */
export const DONE_WITH = 0.7;
