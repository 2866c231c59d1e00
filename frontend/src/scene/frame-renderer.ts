/** Draws one frame: finds what the eye sees, lists it, writes the words, lets overlays follow, and renders. */

import type { Plate } from "../layout/types";
import { type Vec3, viewMatrix } from "./camera/camera";
import type { ScreenPoint } from "./camera/camera-controller";
import type { OverlayList } from "./overlays/overlay-list";
import type { Parts } from "./parts";
import { detailAt } from "./plates/plate-material";
import { findVisible, NOTHING, Viewer, type Visibility } from "./plates/visibility";
import { DIGITS_FROM } from "./values/digits-reach";

/** What is drawn over the plates of a frame. */
export interface Above {
  /** Writes the words. */
  words(frame: FrameRenderer, width: number, height: number): void;
  readonly overlays: OverlayList;
}

export class FrameRenderer {
  /** What the last frame showed, and from where. */
  visibility: Visibility = NOTHING;
  viewer: Viewer;
  /** Frames drawn, and draw calls of the last one. */
  frames = 0;
  calls = 0;
  /** Draws plates in one plain colour, to measure what the rest costs. */
  bare = false;

  constructor(private readonly parts: Parts) {
    this.viewer = new Viewer(parts.eye.state, 1, 1);
  }

  /** Draws; true while an overlay moves. */
  draw(now: number, above: Above): boolean {
    const { eye, renderer, values, texture, stage, plates, pieces, ribbons, digits, uniforms } = this.parts;
    const { clientWidth: width, clientHeight: height } = eye.window;
    if (width === 0 || height === 0) return false;
    texture.update(values.pool);
    const { windows, dims } = stage;
    const { state, aspect } = eye;
    const pixelRatio = renderer.getPixelRatio();
    this.viewer = new Viewer(state, aspect, height * pixelRatio);
    this.visibility = findVisible(windows, this.viewer);
    const { visibility, viewer } = this;
    values.frame++;
    plates.materials.uniforms.edgePixels!.value = viewer.focal;
    plates.materials.uniforms.printedFrom!.value = DIGITS_FROM * pixelRatio;
    pieces.list(windows, visibility, viewer, dims);
    ribbons.list(viewer, pixelRatio);
    plates.end(detailAt(visibility.largest, pieces.smallest));
    if (this.bare) plates.mesh.material = plates.materials.bare;
    this.setEyeUniforms(viewer.eye);
    viewMatrix(state, aspect, visibility.near, visibility.far, uniforms.view.value);
    digits.update({ windows, visibility, state, aspect, height, pixelRatio, dims });
    above.words(this, width, height);
    const moving = above.overlays.update({ now, width, height, pixelRatio });
    renderer.render(this.parts.scene, this.parts.camera);
    this.calls = renderer.info.render.calls;
    this.frames++;
    return moving;
  }

  /** Finds where a point of layout space is on the canvas; null behind the eye. */
  onScreen(x: number, y: number, z: number): ScreenPoint | null {
    return this.parts.eye.project(x, y, z, this.visibility.near * 0.5);
  }

  /** True if a plate stands before this point of the canvas, seen on another plate. */
  isHidden(plate: Plate, x: number, y: number): boolean {
    const { stage, eye } = this.parts;
    return stage.hides(plate, eye.place, eye.ray(x + 1.5, y + 1.5));
  }

  /** Lists the plates in view, the nearest first. */
  seen(): Plate[] {
    const { windows } = this.parts.stage;
    return this.visibility.order.map((number) => windows[number]?.plate).filter((plate) => !!plate);
  }

  /** Splits the eye's place in two, so that differences stay exact in single precision. */
  private setEyeUniforms(eye: Vec3): void {
    const { eyeHigh, eyeLow } = this.parts.uniforms;
    const high = eye.map(Math.round) as unknown as Vec3;
    eyeHigh.value.set(...high);
    eyeLow.value.set(eye[0] - high[0], eye[1] - high[1], eye[2] - high[2]);
  }
}
