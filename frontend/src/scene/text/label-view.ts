/** What the words on the map are written from, and what is kept of them: shared by all who write names, tokens, and
 *  what goes in and comes out. */

import type { Layout } from "../../layout/types";
import type { Sheets, Window } from "../plates/sheets";
import type { LabelSubject, MapTitle } from "../types";
import type { Box } from "./label-choice";

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

/** Pixels between the points at which it is asked what a word lies on. */
const APART = 12;

/** A name on the map and where it stands. */
export interface PlacedLabel {
  readonly box: Box;
  readonly text: string;
  readonly subject: LabelSubject;
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
