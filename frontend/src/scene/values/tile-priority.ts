/** What is missing on the map, the most wanted first: tiles by how large they are and how near the pointer,
 *  activations by plate. */

import type { ScreenPoint } from "../camera/camera-controller";
import type { Window } from "../plates/sheets";
import type { Viewer, Visibility } from "../plates/visibility";
import { walk } from "./pyramid";
import { LAYER_SIZE } from "./slots";
import type { Rank } from "./values";

/** A tile that every coarser view falls back on comes before all finer ones. */
const FIRST = 1e6;
const OUT_OF_VIEW = 1e-6;
/** Pixels from the pointer at which a tile counts half. */
const NEAR_POINTER = 300;

export interface Pointing {
  /** Of the canvas, in CSS pixels. */
  readonly x: number;
  readonly y: number;
  readonly project: (x: number, y: number, z: number) => ScreenPoint | null;
}

/** Every tile that plates show, with its worth for this view. */
export function rankTiles(
  windows: readonly Window[],
  visibility: Visibility,
  viewer: Viewer,
  pointing: Pointing,
): Rank[] {
  const ranks: Rank[] = [];
  const seen = new Set(visibility.order);
  for (const [number, window] of windows.entries()) {
    const { sheet } = window;
    if (sheet.streamed) continue;
    if (sheet.levels.length === 1) rankAll(window, seen.has(number), viewer, ranks);
    else if (seen.has(number)) rankLevels(window, viewer, pointing, ranks);
  }
  return ranks;
}

/** Of a model that fits as a whole: every tile, those in view first, the nearest before the others. */
function rankAll(window: Window, seen: boolean, viewer: Viewer, ranks: Rank[]): void {
  const { plate, sheet, row, column, transposed } = window;
  const [rows, columns] = transposed ? [plate.columns, plate.rows] : [plate.rows, plate.columns];
  for (let down = row >> 8; down * LAYER_SIZE < row + rows; down++) {
    for (let right = column >> 8; right * LAYER_SIZE < column + columns; right++) {
      const top = Math.max(0, down * LAYER_SIZE - row);
      const left = Math.max(0, right * LAYER_SIZE - column);
      const height = Math.min(rows, (down + 1) * LAYER_SIZE - row) - top;
      const width = Math.min(columns, (right + 1) * LAYER_SIZE - column) - left;
      const [x, y, w, h] = transposed ? [top, left, height, width] : [left, top, width, height];
      const at = [plate.x + x, plate.y + y, plate.z, w, h] as const;
      const worth = (seen && viewer.sees(...at) ? 1 : OUT_OF_VIEW) / (1 + viewer.distance(...at));
      ranks.push({ sheet, level: 0, row: down, column: right, worth });
    }
  }
}

/** Of a larger model: what this view would be drawn with, and the coarsest level of what it shows. */
function rankLevels(window: Window, viewer: Viewer, pointing: Pointing, ranks: Rank[]): void {
  const { plate, sheet } = window;
  const top = sheet.levels.length - 1;
  walk(window, viewer, (level, row, column, part) => {
    const middle = pointing.project(
      plate.x + part.x + part.width / 2,
      plate.y + part.y + part.height / 2,
      plate.z,
    );
    const away = middle ? Math.hypot(middle.x - pointing.x, middle.y - pointing.y) : 1e4;
    const size = Math.max(part.width, part.height) * part.pixels;
    const worth = size / (1 + away / NEAR_POINTER);
    ranks.push({ sheet, level, row, column, worth: level === top ? worth * FIRST : worth });
    if (level !== top) ranks.push({ sheet, level: top, row: 0, column: 0, worth: worth * FIRST });
  });
}

/** Names of the activations whose rows come by themselves, those in view first. */
export function wantedActivations(windows: readonly Window[], visibility: Visibility): string[] {
  const names = new Set<string>();
  const take = (window: Window | undefined): void => {
    if (window?.sheet.streamed) names.add(window.sheet.source);
  };
  for (const number of visibility.order) take(windows[number]);
  for (const window of windows) take(window);
  return [...names];
}
