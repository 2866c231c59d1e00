/** How the levels of a sheet are cut into tiles, and a rectangle of cells along them. Pure.
 *
 *      eachTileOf(sheet, { level: 0, top: 250, left: 0, rows: 10, columns: 8 }, visit)
 *
 *  visits two tiles: the last six rows of the first, the first four of the one below.
 */

import type { Sheet } from "../plates/sheets";
import { LAYER_SIZE } from "./slots";

/** A rectangle of a level of a sheet, in its cells. */
export interface Area {
  readonly level: number;
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** A rectangle of a tile, in its cells. */
interface InTile {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Cells of a tile along an axis of so many: the last tile has fewer. */
export const tileSize = (whole: number, tile: number): number =>
  Math.min(LAYER_SIZE, whole - tile * LAYER_SIZE);

/** How many numbers further on the next index of each axis is, where the last axis is packed. */
export function stridesOf(shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    steps[axis] = (steps[axis + 1] as number) * (shape[axis + 1] as number);
  return steps;
}

/** Visits every tile of every level. */
export function eachTile(
  sheet: Sheet,
  visit: (tile: number, level: number, row: number, column: number, width: number, height: number) => void,
): void {
  for (const [level, at] of sheet.levels.entries())
    for (let row = 0; row < at.tilesDown; row++)
      for (let column = 0; column < at.tilesAcross; column++) {
        const tile = at.firstTile + row * at.tilesAcross + column;
        visit(tile, level, row, column, tileSize(at.columns, column), tileSize(at.rows, row));
      }
}

/** Cuts a rectangle of a level along its tiles; what lies outside the sheet is left out. */
export function eachTileOf(
  sheet: Sheet,
  area: Area,
  visit: (tile: number, row: number, column: number, inTile: InTile) => void,
): void {
  const at = sheet.levels[area.level];
  if (!at) return;
  const bottom = Math.min(at.rows, area.top + area.rows);
  const right = Math.min(at.columns, area.left + area.columns);
  for (let row = area.top >> 8; row * LAYER_SIZE < bottom; row++)
    for (let column = area.left >> 8; column * LAYER_SIZE < right; column++)
      visit(at.firstTile + row * at.tilesAcross + column, row, column, {
        top: Math.max(0, area.top - row * LAYER_SIZE),
        left: Math.max(0, area.left - column * LAYER_SIZE),
        bottom: Math.min(LAYER_SIZE, bottom - row * LAYER_SIZE),
        right: Math.min(LAYER_SIZE, right - column * LAYER_SIZE),
      });
}
