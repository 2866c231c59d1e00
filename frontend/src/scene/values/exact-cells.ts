/** Numbers in full single precision, for the few hundred cells that are large enough to be printed. They are asked
 *  for in small squares, kept for a while, and never made from the half floats that the plates are drawn with. */

import type { TensorInfo } from "../../graph/types";
import type { Sheet } from "../plates/sheets";
import type { CellsAddress, CellsHeader, WantedCells } from "../types";

/** Cells a side of what is asked for at once. */
export const BLOCK = 16;
/** Squares kept, the last used the longest: two megabytes. */
const KEPT = 2048;
const HEAD_AXES = ["head", "kv_head"];

/** A square of cells that has come. At the end of a text that still grows it may be smaller than it will be. */
export interface Block {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  /** Of a difference: infinity stands where there is nothing to take away. */
  readonly less: boolean;
}

/** Part of a sheet that one square of numbers fills. */
export interface SheetPart {
  readonly address: WantedCells;
  /** First row and column of the square, in the sheet. */
  readonly row: number;
  readonly column: number;
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** The squares that hold a rectangle of a sheet, as the server knows them: there a tensor with heads has a plate for
 *  each head, also one that is a single sheet here, a row a head. */
export function* squaresOf(
  sheet: Sheet,
  info: TensorInfo | undefined,
  area: { readonly top: number; readonly left: number; readonly bottom: number; readonly right: number },
): Generator<SheetPart> {
  const fixed = sheet.fixed.filter((at) => at !== null);
  const headed = sheet.rowAxis !== null && HEAD_AXES.includes(info?.axes[sheet.rowAxis] ?? "");
  const high = headed ? 1 : BLOCK;
  for (let row = area.top - (area.top % high); row < area.bottom; row += high)
    for (let column = area.left - (area.left % BLOCK); column < area.right; column += BLOCK) {
      const size = { rows: Math.min(high, sheet.rows - row), cols: Math.min(BLOCK, sheet.columns - column) };
      const plate = headed ? { index: [...fixed, row], row: 0 } : { index: fixed, row };
      yield {
        address: { name: sheet.source, activation: !sheet.weight, ...plate, col: column, ...size },
        row,
        column,
        top: Math.max(area.top, row),
        left: Math.max(area.left, column),
        bottom: Math.min(area.bottom, row + size.rows),
        right: Math.min(area.right, column + size.cols),
      };
    }
}

export const keyOf = ({ name, index, row, col }: CellsAddress): string => `${name} ${index} ${row} ${col}`;

export class ExactCells {
  /** Counts changes to what is held. */
  version = 0;
  private readonly blocks = new Map<string, Block & { readonly activation: boolean }>();

  apply(header: CellsHeader, values: Float32Array): void {
    const [rows, columns] = header.shape as readonly [number, number];
    const key = keyOf(header);
    this.blocks.delete(key);
    const less = header.minus !== undefined;
    this.blocks.set(key, { rows, columns, values, less, activation: header.run !== null });
    if (this.blocks.size > KEPT) this.blocks.delete(this.blocks.keys().next().value as string);
    this.version++;
  }

  get(address: CellsAddress): Block | undefined {
    const key = keyOf(address);
    const block = this.blocks.get(key);
    if (!block) return undefined;
    this.blocks.delete(key);
    this.blocks.set(key, block);
    return block;
  }

  clearActivations(): void {
    for (const [key, { activation }] of this.blocks) if (activation) this.blocks.delete(key);
    this.version++;
  }

  clear(): void {
    this.blocks.clear();
    this.version++;
  }
}
