/** The part of a matrix that a panel shows: which tiles of which level it takes, and how they are put together. */

import type { Tile } from "../../net/tiles";
import { TILE_SIZE } from "../../net/tiles";
import { ABSENT, decodeHalf, encodeHalf, MINUS_INFINITY } from "../../scene/values/half";

/** A rectangle of cells; the ends are not included. */
export interface Cells {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Numbers of a rectangle, each of 2^level x 2^level cells, as half floats row by row. */
export interface Picture extends Cells {
  readonly level: number;
  readonly rows: number;
  readonly columns: number;
  readonly values: Uint16Array;
}

export interface TilePlace {
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

/** The level at which a number takes about a pixel, when a cell takes so many. */
export function levelFor(pixels: number): number {
  return Math.max(0, Math.floor(-Math.log2(pixels)));
}

/** The tiles that cover a rectangle. */
export function tilesOf({ top, left, bottom, right }: Cells, level: number): readonly TilePlace[] {
  const span = TILE_SIZE * 2 ** level;
  const places: TilePlace[] = [];
  for (let row = Math.floor(top / span); row * span < bottom; row++)
    for (let column = Math.floor(left / span); column * span < right; column++)
      places.push({ level, row, column });
  return places;
}

/** The picture of a rectangle, out of its tiles. What no tile has is not there yet; `masked` cells that hold nothing
 *  are minus infinity, so that they look as they do among the scores. */
export function joined(
  cells: Cells,
  level: number,
  tiles: ReadonlyMap<string, Tile>,
  masked: ((query: number, key: number) => boolean) | null,
): Picture {
  const span = 2 ** level;
  const [top, left] = [Math.floor(cells.top / span), Math.floor(cells.left / span)];
  const [rows, columns] = [Math.ceil(cells.bottom / span) - top, Math.ceil(cells.right / span) - left];
  const values = new Uint16Array(rows * columns).fill(ABSENT);
  for (const { row, column } of tilesOf(cells, level)) {
    const tile = tiles.get(`${level} ${row} ${column}`);
    if (!tile) continue;
    const [down, across] = [row * TILE_SIZE - top, column * TILE_SIZE - left];
    for (let y = Math.max(0, -down); y < tile.rows && y + down < rows; y++)
      for (let x = Math.max(0, -across); x < tile.columns && x + across < columns; x++) {
        const half = tile.values[y * tile.columns + x]!;
        const value = tile.scale === 1 ? half : encodeHalf(decodeHalf(half) * tile.scale);
        values[(y + down) * columns + x + across] =
          value === 0 &&
          masked &&
          allMasked(masked, (y + down + top) * span, (x + across + left) * span, span)
            ? MINUS_INFINITY
            : value;
      }
  }
  return {
    top: top * span,
    left: left * span,
    bottom: cells.bottom,
    right: cells.right,
    level,
    rows,
    columns,
    values,
  };
}

/** Tells whether a patch that holds nothing is masked at its corners. */
function allMasked(
  masked: (query: number, key: number) => boolean,
  row: number,
  column: number,
  span: number,
): boolean {
  const [last, end] = [row + span - 1, column + span - 1];
  return (
    masked(row, column) && (span === 1 || (masked(last, column) && masked(row, end) && masked(last, end)))
  );
}

/** A whole matrix of numbers as a picture. */
export function pictureOf(matrix: readonly (readonly (number | null)[])[]): Picture {
  const [rows, columns] = [matrix.length, matrix[0]?.length ?? 0];
  const values = new Uint16Array(rows * columns);
  for (const [row, line] of matrix.entries())
    for (const [column, value] of line.entries())
      values[row * columns + column] = value === null ? MINUS_INFINITY : encodeHalf(value);
  return { top: 0, left: 0, bottom: rows, right: columns, level: 0, rows, columns, values };
}

/** The number of a cell, where the picture has it alone. */
export function valueIn({ level, top, left, columns, rows, values }: Picture, row: number, column: number) {
  const [y, x] = [row - top, column - left];
  if (level > 0 || y < 0 || x < 0 || y >= rows || x >= columns) return null;
  const half = values[y * columns + x]!;
  return half === ABSENT ? null : decodeHalf(half);
}
