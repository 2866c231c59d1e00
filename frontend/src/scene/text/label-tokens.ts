/** Token texts along the token axes of the plates whose cells are large enough, the nearest plates first: rows on the
 *  left, or on the right where the left is out of the window; columns under the part of the plate that is in use. */

import { shapeAt } from "../../graph/shape";
import type { Plate } from "../../layout/types";
import { isTokenAxis } from "../plates/sheets";
import type { Placement } from "./label-choice";
import type { LabelMesh } from "./label-mesh";
import type { LabelView, Written } from "./label-view";

export const SMALLEST_CELL = 6;
const MOST_PLATES = 8;
/** A plate that is mixed toward the paper so far has no tokens along it, and its name hardly shows. */
export const FADED = 0.5;
const LONGEST = 14;

/** White space made visible, and nothing too long. */
export function printable(text: string): string {
  const shown = text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·");
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}…` : shown;
}

export function drawTokens(
  mesh: LabelMesh,
  view: LabelView,
  { visible, sheets, tokens, dim }: Written,
  placement: Placement,
): void {
  if (tokens.target.length === 0) return;
  let plates = 0;
  for (const { plate } of visible) {
    // The nearest come first: those after a small one are smaller still.
    if (plates >= MOST_PLATES || view.pixels(plate) < SMALLEST_CELL * 0.9) return;
    const info = sheets.tensor(plate.source);
    const across = info?.axes[plate.columnAxis ?? -1];
    const down = info?.axes[plate.rowAxis ?? -1];
    if (!info || info.role === "weight" || plate.rows === 1 || plate.columns === 1) continue;
    if (!isTokenAxis(across) && !isTokenAxis(down)) continue;
    if (dim && dim(plate.id) >= FADED) continue;
    const corner = view.project(plate.x, plate.y, plate.z);
    if (!corner || corner.scale < SMALLEST_CELL) continue;
    plates++;
    const along = (axis: string | undefined) =>
      info.source_axes.includes(axis ?? "") ? tokens.source : tokens.target;
    const shape = shapeAt(info, { target: tokens.target.length, source: tokens.source.length });
    const rows = Math.min(plate.rows, shape[plate.rowAxis ?? -1] || plate.rows);
    if (isTokenAxis(across)) writeColumns(mesh, view, plate, rows, along(across), placement);
    if (isTokenAxis(down)) writeRows(mesh, view, plate, along(down), placement);
  }
}

function writeColumns(
  mesh: LabelMesh,
  view: LabelView,
  plate: Plate,
  rows: number,
  tokens: readonly string[],
  placement: Placement,
): void {
  const count = Math.min(plate.columns, tokens.length);
  const texts = tokens.slice(0, count).map(printable);
  // All of them stand up as soon as one does not fit.
  const size = view.project(plate.x, plate.y + rows, plate.z)?.scale ?? 0;
  const upright = texts.some((text) => mesh.width(text, "axis") > size);
  for (const [column, text] of texts.entries()) {
    const foot = view.project(plate.x + column + 0.5, plate.y + rows, plate.z);
    if (!foot || foot.scale < SMALLEST_CELL) continue;
    const [width, height] = [mesh.width(text, "axis"), mesh.height("axis")];
    const [w, h] = upright ? [height, width] : [width, height];
    const left = foot.x - w / 2;
    const box = { left, top: foot.y + 3, right: left + w, bottom: foot.y + 3 + h };
    if (view.hidden(plate, foot.x, foot.y - 3)) continue;
    if (placement.place(box, view.width, view.height)) mesh.add(text, "axis", left, foot.y + 3, { upright });
  }
}

function writeRows(
  mesh: LabelMesh,
  view: LabelView,
  plate: Plate,
  tokens: readonly string[],
  placement: Placement,
): void {
  const left = view.project(plate.x, plate.y, plate.z);
  const atRight = left !== null && left.x < 12;
  const edge = plate.x + (atRight ? Math.min(plate.columns, tokens.length) : 0);
  for (let row = 0; row < Math.min(plate.rows, tokens.length); row++) {
    const side = view.project(edge, plate.y + row + 0.5, plate.z);
    if (!side || side.scale < SMALLEST_CELL) continue;
    const text = printable(tokens[row] as string);
    const [width, height] = [mesh.width(text, "axis"), mesh.height("axis")];
    const from = atRight ? side.x + 3 : side.x - width - 3;
    const box = { left: from, top: side.y - height / 2, right: from + width, bottom: side.y + height / 2 };
    if (view.hidden(plate, atRight ? side.x - 2 : side.x + 2, side.y)) continue;
    if (placement.place(box, view.width, view.height)) mesh.add(text, "axis", from, box.top);
  }
}
