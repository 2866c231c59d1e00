/** Where lit cells are on the screen, frame by frame: for whoever draws arcs, brackets and words about them outside
 *  of WebGL. Draws nothing itself. */

import { Object3D } from "three";
import type { Plate } from "../../layout/types";
import type { CellPattern } from "../types";
import type { MakeOverlay, OverlayHost } from "./overlay";

export type Corner = readonly [x: number, y: number];

/** A rectangle of cells on one plate, as it is seen. */
export interface SeenRectangle {
  readonly plate: Plate;
  /** Upper left, upper right, lower right, lower left of the plate's own, in CSS pixels of the canvas. */
  readonly corners: readonly [Corner, Corner, Corner, Corner];
  readonly rows: number;
  readonly columns: number;
}

/** For each pattern asked for its rectangles, one a plate; none where it is behind the eye or not drawn. */
export type CalloutListener = (
  seen: readonly (readonly SeenRectangle[])[],
  width: number,
  height: number,
) => void;

export interface Callouts {
  readonly make: MakeOverlay;
  /** From now on tell where these are at every frame, and where asked for at once. */
  watch(patterns: readonly CellPattern[], atOnce?: boolean): void;
}

export function makeCallouts(tell: CalloutListener): Callouts {
  let watched: readonly CellPattern[] = [];
  let host: OverlayHost | null = null;
  let size: { readonly width: number; readonly height: number } | null = null;
  const tellNow = (): void => {
    if (!host || !size) return;
    const of = host;
    const seen = watched.map((pattern) => seenOf(of, pattern));
    tell(seen, size.width, size.height);
  };
  return {
    make: (given) => {
      host = given;
      return {
        object: new Object3D(),
        update: ({ width, height }) => {
          size = { width, height };
          tellNow();
          return false;
        },
        setTheme: () => undefined,
        dispose: () => {
          host = null;
        },
      };
    },
    watch: (patterns, atOnce = false) => {
      watched = patterns;
      if (atOnce) tellNow();
      host?.schedule();
    },
  };
}

function seenOf(host: OverlayHost, pattern: CellPattern): readonly SeenRectangle[] {
  const seen: SeenRectangle[] = [];
  for (const { plate, rectangle } of host.places(pattern)) {
    const [left, top, right, bottom] = rectangle;
    const at = (column: number, row: number): Corner | null => {
      const point = host.project(plate.x + column, plate.y + row, plate.z);
      return point && [point.x, point.y];
    };
    const corners = [at(left, top), at(right, top), at(right, bottom), at(left, bottom)];
    if (corners.some((corner) => corner === null)) continue;
    seen.push({
      plate,
      corners: corners as unknown as SeenRectangle["corners"],
      rows: bottom - top,
      columns: right - left,
    });
  }
  return seen;
}
