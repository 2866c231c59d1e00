/** The model's title at the map's upper left, and the words that go in at its beginning and come out at its end. */

import type { Plate } from "../../layout/types";
import type { MapTitle } from "../types";
import type { Box, Placement } from "./label-choice";
import type { LabelMesh, LabelStyle } from "./label-mesh";
import { FADED, SMALLEST_CELL } from "./label-tokens";
import { type LabelView, liesOnPlate, type Written } from "./label-view";

/** Nearer than this the title has yielded: one is within the model. */
const TITLE_UNTIL = 1.35;
/** Pixels by which the trail may push the title down. */
const REACH = 40;
/** Lengths that the text read is cut to, from its front, until there is room. */
const LENGTHS = [60, 44, 32, 22, 14, 9];

/** Pixels that the title takes at the top of a window of that width, what stands under it excepted. */
export function titleHeight(mesh: LabelMesh, title: MapTitle | null, width: number): number {
  return title ? linesOf(mesh, title, width).reduce((sum, line) => sum + heightOf(mesh, line), 0) + 4 : 0;
}

export function drawTitle(
  mesh: LabelMesh,
  view: LabelView,
  { title, occupied }: Pick<Written, "title" | "occupied">,
  placement: Placement,
): void {
  const at = view.titleAt;
  if (!title || !at || view.nearness > TITLE_UNTIL) return;
  let top = occupied.reduce((low, box) => (standsAbove(box, at.x, low) ? box.bottom : low), at.y);
  for (const line of linesOf(mesh, title, view.width)) {
    const height = heightOf(mesh, line);
    const width = line.reduce((sum, run) => sum + mesh.width(...run), 0);
    const box = { left: at.x, top, right: at.x + width, bottom: top + height };
    if (!placement.place(box, view.width, view.height)) return;
    let left = at.x;
    for (const [text, style] of line) {
      // On one line of writing, whatever their sizes.
      const drop =
        style === "title" ? 0 : height - mesh.height(style) - (height > mesh.height(style) ? 2 : 0);
      mesh.add(text, style, left, top + drop);
      left += mesh.width(text, style);
    }
    top += height;
  }
}

/** Whether what the page has put over the map reaches a little into the title's first line. */
const standsAbove = ({ left, right, top, bottom }: Box, x: number, y: number): boolean =>
  left < x + REACH && right > x && top < y && bottom > y && bottom < y + REACH;

type Line = readonly (readonly [text: string, style: LabelStyle])[];

const heightOf = (mesh: LabelMesh, line: Line): number =>
  Math.max(...line.map(([, style]) => mesh.height(style)));

/** Name and description on one line where there is room; no line is wider than the window. */
function linesOf(mesh: LabelMesh, { name, about, numbers }: MapTitle, width: number): readonly Line[] {
  const room = width - 40;
  const fits = (line: Line): boolean => line.reduce((sum, run) => sum + mesh.width(...run), 0) <= room;
  const both: Line = [
    [name, "title"],
    [` ${about}`, "line"],
  ];
  const counted = numbers.map((text): Line => [[text, "line"]]);
  const last = counted.find(fits) ?? counted.at(-1)!;
  if (fits(both)) return [both, last];
  const described: Line = [[about, "line"]];
  return fits(described) ? [[[name, "title"]], described, last] : [[[name, "title"]], last];
}

/** The text at the plates where it goes in, and the guess where it comes out, while cells are too small for a word each. */
export function drawMouths(
  mesh: LabelMesh,
  view: LabelView,
  { visible, sheets, tokens, guess, dim }: Written,
  placement: Placement,
): void {
  const entries = new Map<string, Plate>();
  let last: Plate | null = null;
  for (const { plate } of visible) {
    if (dim && dim(plate.id) >= FADED) continue;
    if (plate.kind === "hook_embed") entries.set(sheets.tensor(plate.tensor)?.stack ?? "", plate);
    if (plate.kind === "probabilities" && plate.id > (last?.id ?? -1)) last = plate;
  }
  for (const [stack, plate] of entries) {
    const texts = stack === "encoder" ? tokens.source : tokens.target;
    if (texts.length > 0) writeText(mesh, view, plate, texts, placement);
  }
  if (last && guess) writeGuess(mesh, view, last, guess, placement);
}

function writeText(
  mesh: LabelMesh,
  view: LabelView,
  plate: Plate,
  texts: readonly string[],
  placement: Placement,
): void {
  const corner = view.project(plate.x, plate.y, plate.z);
  const end = view.project(plate.x + plate.columns, plate.y, plate.z);
  if (!corner || !end || corner.scale >= SMALLEST_CELL || plate.rows * corner.scale < 16) return;
  const whole = spelt(texts);
  if (whole === "") return;
  const middle = (corner.x + end.x) / 2;
  for (const length of LENGTHS) {
    const cut = whole.length > length ? `…${whole.slice(1 - length).trimStart()}` : whole;
    const width = mesh.width(cut, "axis") + mesh.width("↓", "axis");
    const height = mesh.height("axis");
    // Its arrow stands over the plate: the words on its left, on its right, or around it.
    const arrow = mesh.width("↓", "axis");
    for (const [left, first] of [
      [middle - width + arrow / 2, false],
      [middle - arrow / 2, true],
    ] as const) {
      const box = {
        left,
        top: Math.min(corner.y, end.y) - height - 2,
        right: left + width,
        bottom: Math.min(corner.y, end.y) - 2,
      };
      if (liesOnPlate(view, box) || !placement.place(box, view.width, view.height)) continue;
      mesh.add("↓", "axis", first ? left : left + width - arrow, box.top);
      mesh.add(cut, "axis", first ? left + arrow : left, box.top);
      return;
    }
    if (whole.length <= length && length === LENGTHS.at(-1)) return;
  }
}

/** Tokens as the text that they are; those of a model without a tokenizer, and single letters, apart. */
function spelt(texts: readonly string[]): string {
  const apart = texts.every((text) => text.length === 1 || text.startsWith("#"));
  return texts
    .join(apart ? " " : "")
    .replaceAll(/<\|?[^<>|]*\|?>/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function writeGuess(
  mesh: LabelMesh,
  view: LabelView,
  plate: Plate,
  guess: string,
  placement: Placement,
): void {
  const foot = view.project(plate.x, plate.y + plate.rows, plate.z);
  if (!foot || foot.scale >= SMALLEST_CELL) return;
  const [width, height] = [mesh.width(guess, "axis"), mesh.height("axis")];
  const end = view.project(plate.x + plate.columns, plate.y + plate.rows, plate.z);
  for (const [left, top] of [
    [foot.x, foot.y + 4],
    [(end?.x ?? foot.x) - width, foot.y + 4],
    [foot.x - width - 6, foot.y - height],
    [(end?.x ?? foot.x) + 6, foot.y - height],
  ] as const) {
    const box = { left, top, right: left + width, bottom: top + height };
    if (liesOnPlate(view, box)) continue;
    if (!placement.place(box, view.width, view.height)) continue;
    mesh.add(guess, "axis", left, top);
    return;
  }
}
