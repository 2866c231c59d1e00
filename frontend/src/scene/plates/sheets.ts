/** From tensors to sheets: the two-dimensional arrays that hold the numbers, and the plates as windows into them.
 *
 *  A sheet is a tensor with all but two axes fixed, in the tensor's own axis order, so that what the server sends
 *  is stored as it is. A plate may show its sheet transposed, or a part of it: the strips of a folded vocabulary
 *  and a tied W_U are windows into the one sheet of W_E.
 */

import { type Positions, shapeAt } from "../../graph/shape";
import type { Graph, TensorInfo } from "../../graph/types";
import type { Plate } from "../../layout/types";
import type { CellPattern } from "../types";
import { LAYER_SIZE, layerShare } from "../values/slots";

export interface Sheet {
  readonly key: string;
  readonly source: string;
  readonly weight: boolean;
  /** For every axis of the source: its fixed index, or null for the two that the sheet spreads out. */
  readonly fixed: readonly (number | null)[];
  /** Axes of the source along the sheet's rows (null: one row) and columns. */
  readonly rowAxis: number | null;
  readonly columnAxis: number;
  readonly rows: number;
  readonly columns: number;
  /** The kind of its tensor: what a colour scale is shared over. */
  readonly kind: string;
  /** Level 0 are the numbers; level n pools 2^n x 2^n of them. Where everything fits into the pool there is only
   *  level 0; otherwise levels go on until one fits into a thumbnail. */
  readonly levels: readonly SheetLevel[];
  /** Its rows come by themselves as they are computed, and are kept; tiles of the others are asked for. */
  readonly streamed: boolean;
}

export interface SheetLevel {
  readonly rows: number;
  readonly columns: number;
  readonly tilesDown: number;
  readonly tilesAcross: number;
  /** Number of the first of its tiles among the tiles of all sheets. */
  readonly firstTile: number;
}

/** A plate's part of its sheet. */
export interface Window {
  readonly plate: Plate;
  readonly sheet: Sheet;
  readonly row: number;
  readonly column: number;
  /** Rows of the plate are columns of the sheet. */
  readonly transposed: boolean;
}

export interface Sheets {
  readonly sheets: readonly Sheet[];
  readonly windows: readonly Window[];
  readonly bySource: ReadonlyMap<string, readonly Sheet[]>;
  readonly byTensor: ReadonlyMap<string, readonly Window[]>;
  readonly tiles: number;
  /** The tensor that holds the numbers of this one, axis for axis. */
  readonly holder: (tensor: string) => string;
  readonly tensor: (name: string) => TensorInfo | undefined;
  /** True if the plate's tensor is its source with the two axes swapped. */
  readonly swapped: (plate: Plate) => boolean;
}

const HEAD_AXES = new Set(["head", "kv_head"]);
const tokenAxes = new Set(["pos", "query_pos", "key_pos"]);

export function isTokenAxis(axis: string | undefined): boolean {
  return axis !== undefined && tokenAxes.has(axis);
}

/** The two axes that a plate's sheet spreads out, in the tensor's order. */
function sheetAxes(
  plate: Plate,
  { role, axes: { length: dimensions } }: TensorInfo,
): [number | null, number] {
  const shown = [plate.rowAxis, plate.columnAxis].filter((axis) => axis !== null).sort((a, b) => a - b);
  if (dimensions === 1) return [null, 0];
  // The server cuts a weight that is parted by head into a plate for each, a bias's single row included.
  if (role === "weight" && shown.length === 1) return [null, shown[0] as number];
  if (shown.every((axis) => axis >= dimensions - 2)) return [dimensions - 2, dimensions - 1];
  return shown.length === 2 ? [shown[0] as number, shown[1] as number] : [null, shown[0] as number];
}

/** Sides of a thumbnail: levels stop where the whole sheet is no larger. */
export const THUMBNAIL = 32;
/** Share of the pool that may be taken by everything, or by rows that are kept. */
const ALL = 0.95;
const KEPT = 0.45;

/** Sheets and windows of all plates, planned for a pool of so many layers.
 *  @throws Error if a plate's source is not in the graph: the layout and the graph do not belong together. */
export function makeSheets(
  plates: readonly Plate[],
  graph: Graph,
  capacity: Positions,
  layers = Number.POSITIVE_INFINITY,
): Sheets {
  const tensors = new Map(graph.tensors.map((tensor) => [tensor.name, tensor]));
  const holder = (name: string): string => {
    const info = tensors.get(name);
    return info?.same_as && !info.transposed ? holder(info.same_as) : name;
  };
  const sheets = new Map<string, FlatSheet>();
  const found: { plate: Plate; key: string; row: number; column: number; transposed: boolean }[] = [];
  for (const plate of plates) {
    const source = holder(plate.source);
    const info = tensors.get(source);
    if (!info) throw new Error(`The layout shows ${plate.source}, which the model's graph does not have.`);
    const [rowAxis, columnAxis] = sheetAxes(plate, info);
    const fixed = plate.origin.map((index, axis) => (axis === rowAxis || axis === columnAxis ? null : index));
    const key = `${source}|${fixed.map((index) => index ?? "").join(",")}`;
    let sheet = sheets.get(key);
    if (!sheet) {
      const shape = shapeAt(info, capacity);
      const rows = rowAxis === null ? 1 : (shape[rowAxis] as number);
      const columns = shape[columnAxis] as number;
      const weight = info.role === "weight";
      const spansHeads = !weight && rowAxis !== null && HEAD_AXES.has(info.axes[rowAxis] ?? "");
      sheet = { key, source, weight, fixed, rowAxis, columnAxis, rows, columns, kind: info.kind, spansHeads };
      sheets.set(key, sheet);
    }
    const transposed =
      plate.rowAxis === columnAxis || (plate.columnAxis !== null && plate.columnAxis === rowAxis);
    const row = rowAxis === null ? 0 : (plate.origin[rowAxis] ?? 0);
    found.push({ plate, key, row, column: plate.origin[columnAxis] ?? 0, transposed });
  }
  const { planned, tiles } = plan([...sheets.values()], layers);
  const windows = found.map(({ key, ...window }) => ({ ...window, sheet: planned.get(key) as Sheet }));
  return index([...planned.values()], windows, tiles, tensors, holder);
}

interface FlatSheet extends Omit<Sheet, "levels" | "streamed"> {
  /** Its rows are heads. The server cuts tiles of one head each, so such a sheet comes by rows. */
  readonly spansHeads: boolean;
}

/** Which sheets are kept whole and which are seen through a pyramid of levels; numbers all their tiles. */
function plan(sheets: readonly FlatSheet[], layers: number): { planned: Map<string, Sheet>; tiles: number } {
  const shares = new Map(sheets.map((sheet) => [sheet.key, shareOf(sheet)]));
  const share = (sheet: FlatSheet): number => shares.get(sheet.key) as number;
  const whole = sheets.reduce((sum, sheet) => sum + share(sheet), 0) <= ALL * layers;
  const first = (a: FlatSheet, b: FlatSheet): number =>
    Number(b.spansHeads) - Number(a.spansHeads) || share(a) - share(b);
  const kept = new Set<FlatSheet>();
  let room = KEPT * layers;
  for (const sheet of sheets.filter(({ weight }) => !weight).sort(first)) {
    room -= share(sheet);
    if (whole || sheet.spansHeads || room >= 0) kept.add(sheet);
  }
  const planned = new Map<string, Sheet>();
  let tiles = 0;
  for (const sheet of sheets) {
    const streamed = kept.has(sheet);
    const levels: SheetLevel[] = [];
    for (let level = 0; ; level++) {
      const [rows, columns] = [Math.ceil(sheet.rows / 2 ** level), Math.ceil(sheet.columns / 2 ** level)];
      const [tilesDown, tilesAcross] = [Math.ceil(rows / LAYER_SIZE), Math.ceil(columns / LAYER_SIZE)];
      levels.push({ rows, columns, tilesDown, tilesAcross, firstTile: tiles });
      tiles += tilesDown * tilesAcross;
      if (whole || streamed || Math.max(rows, columns) <= THUMBNAIL) break;
    }
    planned.set(sheet.key, { ...sheet, streamed, levels });
  }
  return { planned, tiles };
}

/** Layers that a sheet's numbers take in the pool. */
function shareOf({ rows, columns }: FlatSheet): number {
  let share = 0;
  for (let top = 0; top < rows; top += LAYER_SIZE)
    for (let left = 0; left < columns; left += LAYER_SIZE)
      share += layerShare(Math.min(LAYER_SIZE, columns - left), Math.min(LAYER_SIZE, rows - top));
  return share;
}

function index(
  sheets: readonly Sheet[],
  windows: readonly Window[],
  tiles: number,
  tensors: ReadonlyMap<string, TensorInfo>,
  holder: (tensor: string) => string,
): Sheets {
  const bySource = new Map<string, Sheet[]>();
  for (const sheet of sheets) bySource.set(sheet.source, [...(bySource.get(sheet.source) ?? []), sheet]);
  const byTensor = new Map<string, Window[]>();
  for (const window of windows) {
    const list = byTensor.get(window.plate.tensor);
    if (list) list.push(window);
    else byTensor.set(window.plate.tensor, [window]);
  }
  return {
    sheets,
    windows,
    bySource,
    byTensor,
    tiles,
    holder,
    tensor: (name) => tensors.get(name),
    swapped: (plate) => {
      const info = tensors.get(plate.tensor);
      return plate.tensor !== plate.source && info?.transposed === true && info.same_as === plate.source;
    },
  };
}

/** Index, in the axis order of the plate's tensor, of one of its cells. */
export function cellIndex(sheets: Sheets, plate: Plate, row: number, column: number): number[] {
  const at = [...plate.origin];
  if (plate.rowAxis !== null) at[plate.rowAxis] = (at[plate.rowAxis] ?? 0) + row;
  if (plate.columnAxis !== null) at[plate.columnAxis] = (at[plate.columnAxis] ?? 0) + column;
  return sheets.swapped(plate) ? at.reverse() : at;
}

/** A rectangle of a plate's cells: x and y of its corner, x and y past its opposite corner. */
export type CellRectangle = readonly [number, number, number, number];

/** Which cells of a plate a pattern (in the order of the plate's tensor) names; null: none. */
export function patternOnPlate(
  sheets: Sheets,
  plate: Plate,
  pattern: CellPattern["index"],
): CellRectangle | null {
  const wanted = sheets.swapped(plate) ? [...pattern].reverse() : pattern;
  let [left, top, right, bottom] = [0, 0, plate.columns, plate.rows];
  for (let axis = 0; axis < plate.origin.length; axis++) {
    const index = wanted[axis];
    if (index === null || index === undefined) continue;
    const [start, stop] = typeof index === "number" ? [index, index + 1] : index;
    const [from, to] = [start - (plate.origin[axis] as number), stop - (plate.origin[axis] as number)];
    if (axis === plate.columnAxis) [left, right] = [Math.max(0, from), Math.min(right, to)];
    else if (axis === plate.rowAxis) [top, bottom] = [Math.max(0, from), Math.min(bottom, to)];
    else if (from > 0 || to < 1) return null;
  }
  return left >= right || top >= bottom ? null : [left, top, right, bottom];
}
