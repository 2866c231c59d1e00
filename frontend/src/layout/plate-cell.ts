/** Between a cell of a plate and an index into its tensor, and where a cell is in space. */

import type { CellBox } from "../graph/cells";
import type { Layout, Plate } from "./types";
import type { Point } from "./view";

/** A cell as it is drawn. */
export interface PlateCell {
  readonly plate: Plate;
  readonly row: number;
  readonly column: number;
}

/** The rectangle of a plate that a box of cells covers, in the plate's own rows and columns. */
export interface PlateRectangle extends PlateCell {
  readonly rows: number;
  readonly columns: number;
}

const platesByTensor = new WeakMap<Layout, ReadonlyMap<string, readonly Plate[]>>();

/** The plates of a tensor, in the order of heads and strips; none if it is not drawn. */
export function platesOf(layout: Layout, tensor: string): readonly Plate[] {
  const known = platesByTensor.get(layout);
  if (known) return known.get(tensor) ?? [];
  const plates = new Map<string, Plate[]>();
  for (const plate of layout.plates) {
    const others = plates.get(plate.tensor);
    if (others) others.push(plate);
    else plates.set(plate.tensor, [plate]);
  }
  platesByTensor.set(layout, plates);
  return plates.get(tensor) ?? [];
}

/** Whether a plate's numbers are stored the other way round, as a tied `W_U`'s are in `W_E`. */
function isTransposed(plate: Plate): boolean {
  return plate.source !== plate.tensor;
}

/** The index into `plate.tensor`, in its own axis order, of a cell. */
export function tensorIndex(plate: Plate, row: number, column: number): readonly number[] {
  const index = sourceIndex(plate, row, column);
  return isTransposed(plate) ? [...index].reverse() : index;
}

/** The index into `plate.source`, where the numbers are stored. */
export function sourceIndex(plate: Plate, row: number, column: number): readonly number[] {
  return plate.origin.map(
    (start, axis) => start + (axis === plate.rowAxis ? row : 0) + (axis === plate.columnAxis ? column : 0),
  );
}

/** The cell that shows an index of a tensor; undefined where there is none, as beyond the capacity. */
export function plateCell(layout: Layout, tensor: string, index: readonly number[]): PlateCell | undefined {
  const stop = index.map((start) => start + 1);
  const [found] = rectangles(layout, { tensor, start: index, stop });
  return found && { plate: found.plate, row: found.row, column: found.column };
}

/** The rectangles, one per plate, that show a box of cells. */
export function rectangles(
  layout: Layout,
  box: Pick<CellBox, "tensor" | "start" | "stop">,
): readonly PlateRectangle[] {
  return platesOf(layout, box.tensor).flatMap((plate) => rectangleOn(plate, box) ?? []);
}

function rectangleOn(plate: Plate, box: Pick<CellBox, "start" | "stop">): PlateRectangle | undefined {
  const start = isTransposed(plate) ? [...box.start].reverse() : box.start;
  const stop = isTransposed(plate) ? [...box.stop].reverse() : box.stop;
  let rectangle = { plate, row: 0, column: 0, rows: 1, columns: 1 };
  for (const [axis, first] of plate.origin.entries()) {
    const length = axis === plate.rowAxis ? plate.rows : axis === plate.columnAxis ? plate.columns : 1;
    const from = Math.max(0, start[axis]! - first);
    const count = Math.min(length, stop[axis]! - first) - from;
    if (count <= 0) return undefined;
    if (axis === plate.rowAxis) rectangle = { ...rectangle, row: from, rows: count };
    if (axis === plate.columnAxis) rectangle = { ...rectangle, column: from, columns: count };
  }
  return rectangle;
}

/** The middle of a cell's face, in map space (y down); undefined where the tensor has no such cell. */
export function cellPosition(layout: Layout, tensor: string, index: readonly number[]): Point | undefined {
  const cell = plateCell(layout, tensor, index);
  return cell && [cell.plate.x + cell.column + 0.5, cell.plate.y + cell.row + 0.5, cell.plate.z];
}
