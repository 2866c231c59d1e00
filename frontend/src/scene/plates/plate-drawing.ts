/** One plate straight on, drawn by the map's own shader into a canvas of the page. */

import { type Camera, type Scene, type WebGLRenderer, WebGLRenderTarget } from "three";
import type { Plate } from "../../layout/types";
import { FIELD_OF_VIEW } from "../camera/camera";
import type { CameraState, PlateDrawing } from "../types";
import type { PieceList } from "./draw-list";
import { detailAt, type EyeUniforms } from "./plate-material";
import type { PlateMesh } from "./plate-mesh";
import type { Window } from "./sheets";
import { Viewer } from "./visibility";

/** True if the plate is the one of these leading indices (a head), in the tensor's axis order. */
export function shows(plate: Plate, { tensor, index }: PlateDrawing): boolean {
  if (plate.tensor !== tensor) return false;
  const leading = plate.origin.filter((_, axis) => axis !== plate.rowAxis && axis !== plate.columnAxis);
  return leading.every((at, i) => index[i] === undefined || index[i] === at);
}

/** An eye for which every cell has the same size. */
export class Straight extends Viewer {
  /** Straight before a plate's upper left corner, from where a cell has this many pixels. */
  constructor({ x, y, z }: Pick<Plate, "x" | "y" | "z">, pixels: number) {
    const upright: CameraState = { target: [x, y, z], distance: 1, azimuth: 0, elevation: 0 };
    super(upright, 1, 2 * Math.tan(FIELD_OF_VIEW / 2) * pixels);
  }
  override sees(): boolean {
    return true;
  }
  override distance(): number {
    return 1;
  }
}

export interface Studio {
  readonly renderer: WebGLRenderer;
  readonly scene: Scene;
  readonly camera: Camera;
  readonly eye: EyeUniforms;
  readonly plates: PlateMesh;
  readonly pieces: PieceList;
}

/** Draws the plate of this number. */
export function drawPlateInto(
  target: HTMLCanvasElement,
  studio: Studio,
  number: number,
  window: Window,
  drawing: PlateDrawing,
): void {
  const { plate } = window;
  const { width, height } = target;
  const columns = Math.min(plate.columns, drawing.columns ?? plate.columns);
  const rows = Math.min(plate.rows, drawing.rows ?? plate.rows);
  const size = Math.max(width / columns, height / rows);
  studio.pieces.listOne(number, window, new Straight(plate, size));
  photograph(target, studio, {
    size,
    smallest: studio.pieces.smallest,
    left: 0,
    top: 0,
    across: width / columns,
    down: height / rows,
  });
}

/** What of the pieces that are listed comes onto the picture: pixels a cell, and the cell in its upper left corner. */
export interface Frame {
  readonly size: number;
  /** The same, but 0 where something coarser stands in for cells. */
  readonly smallest?: number;
  readonly left: number;
  readonly top: number;
  /** Pixels of a cell's sides, where they differ. */
  readonly across?: number;
  readonly down?: number;
}

/** Draws the pieces that are listed, without what lies on the map. Everything else in the scene is hidden for the
 *  time. */
export function photograph(
  target: HTMLCanvasElement,
  { renderer, scene, camera, eye, plates }: Studio,
  { size, smallest = size, left, top, across = size, down = size }: Frame,
): void {
  const { width, height } = target;
  plates.end(detailAt(size, smallest), false);
  plates.materials.uniforms.edgePixels!.value = size;
  plates.materials.uniforms.printedFrom!.value = Number.MAX_VALUE;
  const [x, y] = [(2 * across) / width, (2 * down) / height];
  eye.view.value.set(x, 0, 0, -1 - left * x, 0, y, 0, 1 + top * y, 0, 0, 1e-3, 0, 0, 0, 0, 1);
  const sheet = new WebGLRenderTarget(width, height);
  const pixels = new Uint8ClampedArray(width * height * 4);
  const others = scene.children.filter((object) => object !== plates.mesh && object.visible);
  for (const object of others) object.visible = false;
  renderer.setRenderTarget(sheet);
  renderer.render(scene, camera);
  renderer.readRenderTargetPixels(sheet, 0, 0, width, height, pixels);
  renderer.setRenderTarget(null);
  for (const object of others) object.visible = true;
  sheet.dispose();
  const picture = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray((height - 1 - y) * width * 4, (height - y) * width * 4);
    picture.data.set(row, y * width * 4);
  }
  target.getContext("2d")?.putImageData(picture, 0, 0);
}
