/** The numbers that are printed in cells: which of them are in reach, which of these are still to be fetched, and the
 *  list that is drawn, made anew only when one of these changes. */

import { printNumber } from "../../format";
import type { Plate } from "../../layout/types";
import type { EyeUniforms } from "../plates/plate-material";
import { cellIndex, type Window } from "../plates/sheets";
import type { Visibility } from "../plates/visibility";
import type { CameraState, CellsHeader, PrintedCell, WantedCells } from "../types";
import { DigitsMesh, MOST } from "./digits-mesh";
import { cellsInReach, DIGITS_FROM, type Reach } from "./digits-reach";
import { ExactCells, keyOf, type SheetPart, squaresOf } from "./exact-cells";
import { ABSENT } from "./half";
import type { Values } from "./values";

/** Squares of cells asked for at once, the nearest plates' first. */
const MOST_BLOCKS = 256;

/** A frame as the numbers see it. */
export interface DigitsFrame {
  readonly windows: readonly Window[];
  readonly visibility: Visibility;
  readonly state: CameraState;
  readonly aspect: number;
  /** Of the canvas, in CSS pixels. */
  readonly height: number;
  readonly pixelRatio: number;
  /** How far plates are mixed toward the paper, by their place in `windows`. */
  readonly dims: ReadonlyMap<number, number>;
}

export class Digits {
  private readonly exact = new ExactCells();
  private readonly drawn: DigitsMesh;
  private reaches: readonly Reach[] = [];
  private windows: readonly Window[] = [];
  private listed = "";

  constructor(
    eye: EyeUniforms,
    private readonly values: Values,
    schedule: () => void,
  ) {
    this.drawn = new DigitsMesh(eye, schedule);
  }

  get mesh(): DigitsMesh["mesh"] {
    return this.drawn.mesh;
  }

  get count(): number {
    return this.drawn.mesh.visible ? this.drawn.count : 0;
  }

  update(frame: DigitsFrame): void {
    const { windows, visibility, state, aspect, height, pixelRatio, dims } = frame;
    this.windows = windows;
    const near = visibility.largest >= DIGITS_FROM * pixelRatio;
    this.reaches = near ? cellsInReach(windows, visibility.order, state, aspect, height) : [];
    if (this.reaches.length > 0) this.list(dims);
    this.drawn.show(this.reaches.length > 0, pixelRatio);
  }

  apply(header: CellsHeader, values: Float32Array): void {
    this.exact.apply(header, values);
  }

  clearActivations(): void {
    this.exact.clearActivations();
  }

  clear(): void {
    this.exact.clear();
  }

  setTheme(theme: Parameters<DigitsMesh["setTheme"]>[0]): void {
    this.drawn.setTheme(theme);
  }

  dispose(): void {
    this.drawn.dispose();
  }

  /** Squares in reach that are not here in full. Those of a text that still grows stay wanted until it has ended;
   *  `missing` are those of which there is something to be had. */
  wanted(hidden: (plate: Plate, x: number, y: number) => boolean): {
    readonly cells: readonly WantedCells[];
    readonly missing: boolean;
  } {
    const cells = new Map<string, WantedCells>();
    let missing = false;
    for (const reach of this.inReach())
      for (const part of this.parts(reach)) {
        const { window } = reach;
        const key = keyOf(part.address);
        const block = this.exact.get(part.address);
        if (cells.has(key) || cells.size >= MOST_BLOCKS) continue;
        if (block && block.rows >= part.address.rows && block.columns >= part.address.cols) continue;
        if (isHidden(window, part, hidden)) continue;
        cells.set(key, part.address);
        if (!block) missing ||= this.values.halfAt(window.sheet, part.top, part.left) !== ABSENT;
      }
    return { cells: [...cells.values()], missing };
  }

  /** What is printed now: for tests and for those who cannot see it. */
  printed(): PrintedCell[] {
    if (!this.drawn.mesh.visible) return [];
    const found: PrintedCell[] = [];
    for (const reach of this.inReach())
      this.each(reach, (value, row, column) => {
        const index = cellIndex(this.values.sheets, reach.window.plate, row, column);
        const text = printNumber(value, reach.room - 1, reach.digits);
        found.push({ tensor: reach.window.plate.tensor, index, text, room: reach.room });
      });
    return found.slice(0, MOST);
  }

  private *inReach(): Generator<PlateReach> {
    for (const reach of this.reaches) {
      const window = this.windows[reach.number];
      if (window) yield { ...reach, window };
    }
  }

  private list(dims: ReadonlyMap<number, number>): void {
    const key = JSON.stringify([
      this.exact.version,
      this.reaches.map((reach) => {
        const { x, y, z, id } = (this.windows[reach.number] as Window).plate;
        return [Object.values(reach), x, y, z, id, dims.get(reach.number)];
      }),
    ]);
    if (key === this.listed) return;
    this.listed = key;
    this.drawn.clear();
    for (const reach of this.inReach()) {
      const { plate } = reach.window;
      const dim = dims.get(reach.number) ?? 0;
      this.each(reach, (value, row, column) => {
        const text = printNumber(value, reach.room - 1, reach.digits);
        this.drawn.add(text, plate.x + column + 0.5, plate.y + row + 0.5, plate.z, reach.room, dim);
      });
    }
    this.drawn.end();
  }

  /** Every number in reach that is here, with its row and column on the plate. */
  private each(reach: PlateReach, visit: (value: number, row: number, column: number) => void): void {
    for (const part of this.parts(reach)) {
      const block = this.exact.get(part.address);
      if (!block) continue;
      const bottom = Math.min(part.bottom, part.row + block.rows);
      const right = Math.min(part.right, part.column + block.columns);
      for (let row = part.top; row < bottom; row++)
        for (let column = part.left; column < right; column++) {
          const value = block.values[(row - part.row) * block.columns + column - part.column] as number;
          if (block.less && value === Number.POSITIVE_INFINITY) continue;
          // Hatched, and no zero like any other.
          if (value === 0 && this.values.isMasked(reach.window.sheet, row, column)) continue;
          const at = onPlate(reach.window, row, column);
          visit(value, at.row, at.column);
        }
    }
  }

  /** The squares that hold the numbers in reach of a plate, in its sheet. */
  private parts({ window, left, top, right, bottom }: PlateReach): Generator<SheetPart> {
    const { sheet, row, column, transposed } = window;
    const [up, beside, down, across] = transposed ? [left, top, right, bottom] : [top, left, bottom, right];
    const area = {
      top: row + up,
      left: column + beside,
      bottom: Math.min(sheet.rows, row + down),
      right: Math.min(sheet.columns, column + across),
    };
    return squaresOf(sheet, this.values.sheets.tensor(sheet.source), area);
  }
}

type PlateReach = Reach & { readonly window: Window };

function onPlate(
  { row: top, column: left, transposed }: Window,
  row: number,
  column: number,
): { row: number; column: number } {
  return transposed ? { row: column - left, column: row - top } : { row: row - top, column: column - left };
}

/** True if other plates stand before the corners and the middle of a part. */
function isHidden(
  window: Window,
  { top, left, bottom, right }: SheetPart,
  hidden: (plate: Plate, x: number, y: number) => boolean,
): boolean {
  const { plate } = window;
  const [middle, center] = [(top + bottom) >> 1, (left + right) >> 1];
  return [
    [top, left],
    [top, right - 1],
    [bottom - 1, left],
    [bottom - 1, right - 1],
    [middle, center],
  ].every(([row, column]) => {
    const at = onPlate(window, row as number, column as number);
    return hidden(plate, plate.x + at.column + 0.5, plate.y + at.row + 0.5);
  });
}
