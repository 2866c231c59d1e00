/** What a plate is drawn with from afar, as numbers in a row: of tens of thousands of plates seen at once, nearly all
 *  show their coarsest tile, and to look it up in the plates' own objects takes longer than all the rest. */

import type { Window } from "../plates/sheets";
import { roles } from "../themes";
import { LAYER_SIZE, type Slot } from "./slots";

export interface FarPlates {
  /** The one tile that fills the plate at its coarsest level; -1 where there are several. */
  readonly tile: Int32Array;
  readonly level: Uint8Array;
  /** Row and column of the sheet where the plate begins. */
  readonly row: Int32Array;
  readonly column: Int32Array;
  /** The place of its role, and 8 where its rows are the sheet's columns. */
  readonly kind: Uint8Array;
}

export const TURNED = 8;

/** A tile's place in the pool in one number: x and y are below 256. */
export const packSlot = ({ layer, x, y }: Slot): number => (layer << 16) | (y << 8) | x;

export function farPlates(windows: readonly Window[]): FarPlates {
  const count = windows.length;
  const far = {
    tile: new Int32Array(count),
    level: new Uint8Array(count),
    row: new Int32Array(count),
    column: new Int32Array(count),
    kind: new Uint8Array(count),
  };
  for (const [i, { plate, sheet, row, column, transposed }] of windows.entries()) {
    const level = sheet.levels.length - 1;
    const span = LAYER_SIZE << level;
    const [rows, columns] = transposed ? [plate.columns, plate.rows] : [plate.rows, plate.columns];
    const inside =
      row + rows <= Math.min(span, sheet.rows) && column + columns <= Math.min(span, sheet.columns);
    far.tile[i] = inside ? (sheet.levels[level]?.firstTile ?? -1) : -1;
    far.level[i] = level;
    far.row[i] = row;
    far.column[i] = column;
    far.kind[i] = roles.indexOf(plate.role) + (transposed ? TURNED : 0);
  }
  return far;
}
