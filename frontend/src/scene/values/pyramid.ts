/** Which tile of which level a part of a plate is to be shown with: the one whose texels are about a pixel. */

import type { Window } from "../plates/sheets";
import type { Viewer } from "../plates/visibility";
import { LAYER_SIZE } from "./slots";

/** Texels may be so many pixels wide before a finer level is used. */
const COARSEST = 1.5;
/** A part no larger than this, in pixels, is never refined. */
const SMALL = 24;

/** A part of a plate. Rows and columns are the sheet's; x, y, width and height are cells of the plate. */
export interface Part {
  top: number;
  left: number;
  bottom: number;
  right: number;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Pixels of a cell at its nearest point. */
  pixels: number;
}

/** The part of a window that a tile fills; false when none. */
export function partOf(
  { sheet, plate, row, column, transposed }: Window,
  level: number,
  tileRow: number,
  tileColumn: number,
  part: Part,
): boolean {
  const span = LAYER_SIZE << level;
  const rows = transposed ? plate.columns : plate.rows;
  const columns = transposed ? plate.rows : plate.columns;
  part.top = Math.max(row, tileRow * span);
  part.left = Math.max(column, tileColumn * span);
  part.bottom = Math.min(row + rows, sheet.rows, (tileRow + 1) * span);
  part.right = Math.min(column + columns, sheet.columns, (tileColumn + 1) * span);
  if (part.bottom <= part.top || part.right <= part.left) return false;
  const down = part.top - row;
  const across = part.left - column;
  const height = part.bottom - part.top;
  const width = part.right - part.left;
  part.x = transposed ? down : across;
  part.y = transposed ? across : down;
  part.width = transposed ? height : width;
  part.height = transposed ? width : height;
  return true;
}

/** Whether a part so many cells long, each so many pixels large, wants a finer level than this one. */
export function refines(cells: number, pixels: number, level: number): boolean {
  return cells * pixels > SMALL && pixels * (1 << level) > COARSEST;
}

export type Leaf = (level: number, row: number, column: number, part: Part) => void;

/** Walks down from the coarsest level, as far as the eye asks for; tells every tile in view that it ends at. */
export function walk(window: Window, viewer: Viewer, leaf: Leaf): void {
  const { levels } = window.sheet;
  const top = levels.length - 1;
  const coarsest = levels[top];
  if (!coarsest) return;
  const rows = window.transposed ? window.plate.columns : window.plate.rows;
  const columns = window.transposed ? window.plate.rows : window.plate.columns;
  const span = LAYER_SIZE << top;
  const several = coarsest.tilesDown * coarsest.tilesAcross > 1;
  for (let row = Math.floor(window.row / span); row * span < window.row + rows; row++)
    for (let column = Math.floor(window.column / span); column * span < window.column + columns; column++)
      descend(window, viewer, leaf, top, row, column, several);
}

function descend(
  window: Window,
  viewer: Viewer,
  leaf: Leaf,
  level: number,
  row: number,
  column: number,
  check: boolean,
): void {
  const part: Part = { top: 0, left: 0, bottom: 0, right: 0, x: 0, y: 0, width: 0, height: 0, pixels: 0 };
  if (!partOf(window, level, row, column, part)) return;
  const { plate } = window;
  const x = plate.x + part.x;
  const y = plate.y + part.y;
  if (check && !viewer.sees(x, y, plate.z, part.width, part.height)) return;
  part.pixels = viewer.focal / Math.max(1, viewer.distance(x, y, plate.z, part.width, part.height));
  if (level === 0 || !refines(Math.max(part.width, part.height), part.pixels, level)) {
    leaf(level, row, column, part);
    return;
  }
  for (let down = row * 2; down < row * 2 + 2; down++)
    for (let right = column * 2; right < column * 2 + 2; right++)
      descend(window, viewer, leaf, level - 1, down, right, true);
}
