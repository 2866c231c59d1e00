/** What is missing on the map, the most wanted first: weight tiles by how near the eye is, activations by plate. */

import { eyeOf } from "./camera";
import type { Sheet, Window } from "./sheets";
import { LAYER_SIZE } from "./slots";
import type { CameraState } from "./types";
import type { Rank } from "./values";
import { distanceTo, mayBeSeen, type Visibility } from "./visibility";

/** Every weight tile that a plate shows, with its worth for this view. */
export function rankTiles(
  windows: readonly Window[],
  visibility: Visibility,
  state: CameraState,
  aspect: number,
): Rank[] {
  const ranks: Rank[] = [];
  const eye = eyeOf(state);
  const seen = new Set(visibility.order);
  for (const [number, window] of windows.entries()) {
    if (!window.sheet.weight) continue;
    for (const { sheet, row, column, at } of tilesOf(window)) {
      const inView = seen.has(number) && mayBeSeen(state, aspect, ...at);
      ranks.push({ sheet, row, column, worth: (inView ? 1 : 1e-6) / (1 + distanceTo(eye, ...at)) });
    }
  }
  return ranks;
}

interface WindowTile {
  readonly sheet: Sheet;
  readonly row: number;
  readonly column: number;
  /** Its part of the plate, in space: x, y, z, columns, rows. */
  readonly at: readonly [number, number, number, number, number];
}

/** The tiles of its sheet that a plate shows, each with the rectangle of space where it lies. */
function* tilesOf({ plate, sheet, row, column, transposed }: Window): Generator<WindowTile> {
  const [rows, columns] = transposed ? [plate.columns, plate.rows] : [plate.rows, plate.columns];
  for (let down = row >> 8; down * LAYER_SIZE < row + rows; down++) {
    for (let right = column >> 8; right * LAYER_SIZE < column + columns; right++) {
      const top = Math.max(0, down * LAYER_SIZE - row);
      const left = Math.max(0, right * LAYER_SIZE - column);
      const height = Math.min(rows, (down + 1) * LAYER_SIZE - row) - top;
      const width = Math.min(columns, (right + 1) * LAYER_SIZE - column) - left;
      const [x, y, w, h] = transposed ? [top, left, height, width] : [left, top, width, height];
      yield { sheet, row: down, column: right, at: [plate.x + x, plate.y + y, plate.z, w, h] };
    }
  }
}

/** Names of the activations drawn, those in view first. */
export function wantedActivations(windows: readonly Window[], visibility: Visibility): string[] {
  const names = new Set<string>();
  const take = (window: Window | undefined): void => {
    if (window && !window.sheet.weight) names.add(window.sheet.source);
  };
  for (const number of visibility.order) take(windows[number]);
  for (const window of windows) take(window);
  return [...names];
}
