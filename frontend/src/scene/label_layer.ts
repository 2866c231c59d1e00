/** What is written on the map for a view: the model's title, what goes in and what comes out, names of sections and
 *  plates, and token texts along the plates near the eye. The most important goes first, and what would overlap it
 *  yields. What is written is remembered, so that the pointer finds the names again. */

import type { Layout } from "../layout/types";
import { type Box, Placement } from "./label_choice";
import type { LabelMesh } from "./label_mesh";
import { type Candidate, plateCandidates, regionCandidates, widthOf } from "./label_names";
import { drawTokens, FADED } from "./label_tokens";
import { drawMouths, drawTitle } from "./label_words";
import type { Sheets, Window } from "./sheets";
import type { LabelSubject, MapTitle } from "./types";

export interface LabelView {
  readonly width: number;
  readonly height: number;
  /** Screen position of a point of layout space, and its pixels a cell; null behind the eye. */
  readonly project: (x: number, y: number, z: number) => { x: number; y: number; scale: number } | null;
  /** True if another plate stands before the point. */
  readonly hidden: (plate: Window["plate"], x: number, y: number) => boolean;
  /** True if there is a plate at a point of the screen. */
  readonly covered: (x: number, y: number) => boolean;
  /** Pixels of a plate's nearest cell, at most. */
  readonly pixels: (plate: Window["plate"]) => number;
  /** How near the eye is: 1 where it sees the whole map as it is framed at first, 2 at half that distance. */
  readonly nearness: number;
  /** Where the title begins, on the screen; null while it is out of sight. */
  readonly titleAt: { readonly x: number; readonly y: number } | null;
}

/** The tokens along the token axes: those of the text, and those of an encoder-decoder's source. */
export interface TokenTexts {
  readonly target: readonly string[];
  readonly source: readonly string[];
}

/** What is shown, as far as words go. */
export interface Written {
  readonly layout: Layout;
  readonly visible: readonly Window[];
  readonly sheets: Sheets;
  readonly tokens: TokenTexts;
  readonly title: MapTitle | null;
  /** What the model says comes next; null where it has said nothing. */
  readonly guess: string | null;
  /** What the page has put over the map: nothing is written under it. */
  readonly occupied: readonly Box[];
  /** How far a plate, by its id, is mixed toward the paper while a story is told; null while none is. */
  readonly dim: ((plateId: number) => number) | null;
}

/** A name on the map and where it stands. */
export interface PlacedLabel {
  readonly box: Box;
  readonly text: string;
  readonly subject: LabelSubject;
}

const MOST_TRIED = 500;
/** Puts a name after all others. */
const LAST = 10_000;
/** Pixels between the points at which it is asked what a word lies on. */
const APART = 12;

/** Writes everything; the names that may be pointed at, and where all words stand. */
export function drawLabels(
  mesh: LabelMesh,
  view: LabelView,
  written: Written,
): { readonly names: readonly PlacedLabel[]; readonly boxes: readonly Box[] } {
  const placement = new Placement();
  for (const box of written.occupied) placement.take(box);
  drawTitle(mesh, view, written, placement);
  drawMouths(mesh, view, written, placement);
  const candidates = [...regionCandidates(mesh, view, written), ...plateCandidates(view, written)].map(
    (candidate) => stepBack(candidate, written),
  );
  candidates.sort((a, b) => b.weight - a.weight);
  const placed: PlacedLabel[] = [];
  for (const candidate of candidates.slice(0, MOST_TRIED)) {
    const label = place(mesh, view, candidate, placement);
    if (label) placed.push(label);
  }
  drawTokens(mesh, view, written, placement);
  return { names: placed, boxes: placement.boxes };
}

/** While a story is told, the names of what takes no part in it are faint, and yield to those of what does. */
function stepBack(candidate: Candidate, { dim }: Written): Candidate {
  const { plate, weight } = candidate;
  if (!dim || (plate && dim(plate.id) < FADED)) return candidate;
  return { ...candidate, weight: weight - LAST, faint: true };
}

/** Writes a name at the first of its places that is free, in the first of its wordings that fits there. */
function place(
  mesh: LabelMesh,
  view: LabelView,
  { wordings, places, plate, mindsPlates, subject, room, faint = false }: Candidate,
  placement: Placement,
): PlacedLabel | null {
  for (const [choice, { x: along, y, ends }] of places.entries())
    for (const [at, runs] of wordings.entries()) {
      const width = widthOf(mesh, runs);
      const x = ends ? along - width : along;
      if (at < wordings.length - 1 && width > room) continue;
      const height = Math.max(...runs.map(({ style }) => mesh.height(style)));
      const box = { left: x, top: y - height - 2, right: x + width, bottom: y - 2 };
      if (box.right < 0 || box.left > view.width || box.bottom < 0 || box.top > view.height) continue;
      if (!placement.isFree(box, view.width, view.height) || (plate && view.hidden(plate, along, y)))
        continue;
      // Away from its own place a plate's name would seem to name what it lies on.
      if ((mindsPlates || (plate && choice > 0)) && liesOnPlate(view, box)) continue;
      placement.place(box, view.width, view.height);
      let left = x;
      for (const { text, style } of runs) {
        mesh.add(text, style, left, box.bottom - mesh.height(style), { faint });
        left += mesh.width(text, style);
      }
      return { box, text: runs.map(({ text }) => text).join(" "), subject };
    }
  return null;
}

/** True if there is a plate under some part of a box, as far as points a few pixels apart tell. */
export function liesOnPlate(view: LabelView, { left, top, right, bottom }: Box): boolean {
  const steps = Math.max(2, Math.ceil((right - left) / APART));
  for (let step = 0; step <= steps; step++) {
    const x = left + ((right - left) * step) / steps;
    if (view.covered(x, bottom - 2) || view.covered(x, top + 3)) return true;
  }
  return false;
}
