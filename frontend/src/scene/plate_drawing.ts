/** One plate straight on, drawn by the map's own shader into a canvas of the page. */

import { type Camera, type Scene, type WebGLRenderer, WebGLRenderTarget } from "three";
import type { Plate } from "../layout/types";
import { FIELD_OF_VIEW } from "./camera";
import type { PieceList } from "./pieces";
import { Detail, type EyeUniforms } from "./plate_material";
import type { PlateMesh } from "./plate_mesh";
import type { Window } from "./sheets";
import type { CameraState, PlateDrawing } from "./types";
import { Viewer } from "./visibility";

/** True if the plate is the one of these leading indices (a head), in the tensor's axis order. */
export function shows(plate: Plate, { tensor, index }: PlateDrawing): boolean {
  if (plate.tensor !== tensor) return false;
  const leading = plate.origin.filter((_, axis) => axis !== plate.rowAxis && axis !== plate.columnAxis);
  return leading.every((at, i) => index[i] === undefined || index[i] === at);
}

/** An eye for which every cell has the same size. */
class Straight extends Viewer {
  constructor(state: CameraState, pixels: number) {
    super(state, 1, 2 * Math.tan(FIELD_OF_VIEW / 2) * pixels);
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

/** Draws the plate of this number. Everything else in the scene is hidden for the time. */
export function drawPlateInto(
  target: HTMLCanvasElement,
  { renderer, scene, camera, eye, plates, pieces }: Studio,
  number: number,
  window: Window,
  drawing: PlateDrawing,
): void {
  const { plate } = window;
  const { width, height } = target;
  const columns = Math.min(plate.columns, drawing.columns ?? plate.columns);
  const rows = Math.min(plate.rows, drawing.rows ?? plate.rows);
  const size = Math.max(width / columns, height / rows);
  // An eye straight before the upper left corner, from where a cell has this many pixels.
  const upright = { target: [plate.x, plate.y, plate.z], distance: 1, azimuth: 0, elevation: 0 } as const;
  pieces.listOne(number, window, new Straight(upright, size));
  plates.end(size >= 1.5 ? Detail.cells : Detail.colour);
  plates.materials.uniforms.edgePixels!.value = size;
  eye.view.value.set(2 / columns, 0, 0, -1, 0, 2 / rows, 0, 1, 0, 0, 1e-3, 0, 0, 0, 0, 1);
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
