/** What is written on the map for a view: names of regions and plates, and token texts along the plates near the
 *  eye. The most important goes first, and what would overlap it yields. */

import type { Layout, Plate } from "../layout/types";
import { Placement } from "./label_choice";
import type { LabelMesh, LabelStyle } from "./label_mesh";
import { isTokenAxis, type Sheets, type Window } from "./sheets";

export interface LabelView {
  readonly width: number;
  readonly height: number;
  /** Screen position of a point of layout space, and its pixels a cell; null behind the eye. */
  readonly project: (x: number, y: number, z: number) => { x: number; y: number; scale: number } | null;
  /** True if another plate stands before the point. */
  readonly hidden: (plate: Plate, x: number, y: number) => boolean;
  /** Pixels of a plate's nearest cell, at most. */
  readonly pixels: (plate: Plate) => number;
}

interface Candidate {
  readonly text: string;
  readonly style: LabelStyle;
  readonly x: number;
  readonly y: number;
  readonly weight: number;
  readonly plate: Plate | null;
}

const SMALLEST_PLATE = 20;
const SMALLEST_CELL = 8;

/** The tokens along the token axes: those of the text, and those of an encoder-decoder's source. */
export interface TokenTexts {
  readonly target: readonly string[];
  readonly source: readonly string[];
}

/** White space made visible, and nothing too long. */
function printable(text: string): string {
  const shown = text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·");
  return shown.length > 14 ? `${shown.slice(0, 13)}…` : shown;
}

export function drawLabels(
  mesh: LabelMesh,
  view: LabelView,
  layout: Layout,
  visible: readonly Window[],
  sheets: Sheets,
  tokens: TokenTexts,
): void {
  const placement = new Placement();
  const candidates = [...regionCandidates(mesh, view, layout), ...plateCandidates(view, visible)];
  candidates.sort((a, b) => b.weight - a.weight);
  for (const { text, style, x, y, plate } of candidates.slice(0, 500)) {
    const top = y - mesh.height(style) - 2;
    const box = { left: x, top, right: x + mesh.width(text, style), bottom: y - 2 };
    if (box.right < 0 || box.left > view.width || box.bottom < 0 || top > view.height) continue;
    if (!placement.isFree(box, view.width, view.height) || (plate && view.hidden(plate, x, y))) continue;
    placement.place(box, view.width, view.height);
    mesh.add(text, style, x, top);
  }
  drawTokens(mesh, view, visible, sheets, tokens, placement);
}

/** Blocks, and what is within them when they are large, are named where the layout keeps room; the others beside
 *  their upper left corner. */
function regionCandidates(mesh: LabelMesh, view: LabelView, layout: Layout): Candidate[] {
  const found: Candidate[] = [];
  for (const region of layout.regions) {
    // Shared keys and values say on their plates whose they are.
    if (region.kind === "model" || region.kind === "keys") continue;
    const { min, max } = region.bounds;
    const corner = view.project(min[0], min[1], max[2]);
    if (!corner) continue;
    const height = (max[1] - min[1]) * corner.scale;
    const width = (max[0] - min[0]) * corner.scale;
    const inner = region.kind === "head" || region.kind === "attention" || region.kind === "mlp";
    if (Math.max(height, width) < (inner ? 200 : 50) || height > view.height * (inner ? 0.9 : 2)) continue;
    const anchor = view.project(...region.anchor);
    if (!anchor) continue;
    const inBlock = region.layer !== null || region.kind === "stack";
    found.push({
      text: region.name,
      style: "region",
      x: inBlock ? anchor.x : corner.x - mesh.width(region.name, "region") - 8,
      y: inBlock ? anchor.y : corner.y + 22,
      weight: (inner ? 0 : 2000) + region.importance,
      plate: null,
    });
  }
  return found;
}

function plateCandidates(view: LabelView, visible: readonly Window[]): Candidate[] {
  const found: Candidate[] = [];
  for (const { plate } of visible) {
    if (plate.label === "") continue;
    const corner = view.project(plate.x, plate.y, plate.z);
    if (!corner || Math.max(plate.rows, plate.columns) * corner.scale < SMALLEST_PLATE) continue;
    // A plate that begins left of the window is named at the window's edge.
    const right = corner.x < 3 ? view.project(plate.x + plate.columns, plate.y, plate.z) : null;
    if (corner.x < 3 && (!right || right.x < 60)) continue;
    found.push({
      text: plate.label,
      style: "plate",
      x: Math.max(3, corner.x),
      y: right ? corner.y + ((right.y - corner.y) * (3 - corner.x)) / (right.x - corner.x) : corner.y,
      weight: plate.importance,
      plate,
    });
  }
  return found;
}

/** Token texts along the token axes of the plates whose cells are large enough, the nearest plates first. */
function drawTokens(
  mesh: LabelMesh,
  view: LabelView,
  visible: readonly Window[],
  sheets: Sheets,
  tokens: TokenTexts,
  placement: Placement,
): void {
  if (tokens.target.length === 0) return;
  let plates = 0;
  for (const { plate } of visible) {
    // The nearest come first: those after a small one are smaller still.
    if (plates >= 8 || view.pixels(plate) < SMALLEST_CELL * 0.9) return;
    const info = sheets.tensor(plate.source);
    const across = info?.axes[plate.columnAxis ?? -1];
    const down = info?.axes[plate.rowAxis ?? -1];
    if (info?.role === "weight" || plate.rows === 1 || plate.columns === 1) continue;
    if (!isTokenAxis(across) && !isTokenAxis(down)) continue;
    const corner = view.project(plate.x, plate.y, plate.z);
    if (!corner || corner.scale < SMALLEST_CELL) continue;
    plates++;
    const along = (axis: string | undefined) =>
      info?.source_axes.includes(axis ?? "") ? tokens.source : tokens.target;
    if (isTokenAxis(across)) writeColumns(mesh, view, plate, along(across), placement);
    if (isTokenAxis(down)) writeRows(mesh, view, plate, along(down), placement);
  }
}

function writeColumns(
  mesh: LabelMesh,
  view: LabelView,
  plate: Plate,
  tokens: readonly string[],
  placement: Placement,
): void {
  for (let column = 0; column < Math.min(plate.columns, tokens.length); column++) {
    const foot = view.project(plate.x + column + 0.5, plate.y + plate.rows, plate.z);
    if (!foot || foot.scale < SMALLEST_CELL) continue;
    const text = printable(tokens[column] as string);
    const [width, height] = [mesh.width(text, "axis"), mesh.height("axis")];
    const upright = width > foot.scale;
    const [w, h] = upright ? [height, width] : [width, height];
    const left = foot.x - w / 2;
    const box = { left, top: foot.y + 3, right: left + w, bottom: foot.y + 3 + h };
    if (view.hidden(plate, foot.x, foot.y - 3)) continue;
    if (placement.place(box, view.width, view.height)) mesh.add(text, "axis", left, foot.y + 3, upright);
  }
}

function writeRows(
  mesh: LabelMesh,
  view: LabelView,
  plate: Plate,
  tokens: readonly string[],
  placement: Placement,
): void {
  for (let row = 0; row < Math.min(plate.rows, tokens.length); row++) {
    const side = view.project(plate.x, plate.y + row + 0.5, plate.z);
    if (!side || side.scale < SMALLEST_CELL) continue;
    const text = printable(tokens[row] as string);
    const [width, height] = [mesh.width(text, "axis"), mesh.height("axis")];
    const left = side.x - width - 3;
    const box = { left, top: side.y - height / 2, right: left + width, bottom: side.y + height / 2 };
    if (view.hidden(plate, side.x + 2, side.y)) continue;
    if (placement.place(box, view.width, view.height)) mesh.add(text, "axis", left, box.top);
  }
}
