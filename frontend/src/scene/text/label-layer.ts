/** What is written on the map for a view: the model's title, what goes in and what comes out, names of sections and
 *  plates, and token texts along the plates near the eye. The most important goes first, and what would overlap it
 *  yields. What is written is remembered, so that the pointer finds the names again. */

import { type Box, Placement } from "./label-choice";
import type { LabelMesh } from "./label-mesh";
import { type Candidate, plateCandidates, regionCandidates, widthOf } from "./label-names";
import { drawTokens, FADED } from "./label-tokens";
import { type LabelView, liesOnPlate, type PlacedLabel, type Written } from "./label-view";
import { drawMouths, drawTitle } from "./label-words";

const MOST_TRIED = 500;
/** Puts a name after all others. */
const LAST = 10_000;

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
