/** How to draw something of one's own on the map: marks, flying cells, whatever stands before plates and ribbons and
 *  behind the labels. An overlay is one mesh (one draw call); it learns from its host where things are.
 *
 *  A mesh takes the host's eye uniforms and computes, as plates and ribbons do,
 *  `gl_Position = view * vec4((position - eyeHigh) - eyeLow, 1.)` with world positions (layout space, y negated): so
 *  its places stay exact however far from the origin they are.
 */

import type { Object3D } from "three";
import type { Plate } from "../../layout/types";
import type { ScreenPoint } from "../camera/camera-controller";
import type { EyeUniforms } from "../plates/plate-material";
import type { Place } from "../plates/plate-state";
import type { Theme } from "../themes";
import type { CellPattern } from "../types";

/** One frame, as an overlay sees it. */
export interface OverlayFrame {
  /** Milliseconds, on the clock of `performance.now()`. */
  readonly now: number;
  /** Of the canvas, in CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly pixelRatio: number;
}

export interface Overlay {
  readonly object: Object3D;
  /** Over the labels too: what covers a part of the map covers the words on it. */
  readonly aboveLabels?: boolean;
  /** Before each frame. True while it moves and wants the next frame too. */
  update(frame: OverlayFrame): boolean;
  setTheme(theme: Theme): void;
  /** The graphics context was lost and is back: three.js uploads geometries and textures again by itself, anything
   *  made by hand is to be made anew. */
  restore?(): void;
  dispose(): void;
}

/** What the map offers to an overlay. */
export interface OverlayHost {
  readonly eye: EyeUniforms;
  /** Asks for a frame. */
  schedule(): void;
  /** Every plate, as it stands, on which cells of the pattern lie, and where on it. */
  places(cell: CellPattern): Iterable<Place>;
  plate(id: number): Plate | null;
  /** A point of layout space on the canvas; null behind the eye. */
  project(x: number, y: number, z: number): ScreenPoint | null;
  /** True if a plate stands before this point of the plate. */
  hidden(plate: Plate, x: number, y: number): boolean;
  /** The number the map holds for a cell (half precision); undefined while it is not here. */
  valueAt(tensor: string, index: readonly number[]): number | undefined;
}

export type MakeOverlay = (host: OverlayHost) => Overlay;
