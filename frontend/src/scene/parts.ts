/** What the map draws with: the renderer, its meshes, and the numbers and plates behind them, made together and given
 *  back together. Whatever holds memory of the graphics card is here, or in an overlay. */

import { Camera, Color, Scene, type WebGLRenderer } from "three";
import { Eye } from "./camera/camera-controller";
import { PieceList } from "./plates/draw-list";
import type { Studio } from "./plates/plate-drawing";
import { type EyeUniforms, makeEyeUniforms, PlateMaterials } from "./plates/plate-material";
import { PlateMesh } from "./plates/plate-mesh";
import { Stage } from "./plates/plate-state";
import { Viewer } from "./plates/visibility";
import { makeRenderer } from "./renderer";
import { RibbonMesh } from "./ribbons/ribbon-mesh";
import { LabelMesh } from "./text/label-mesh";
import { rgb, type Theme } from "./themes";
import type { MapOptions } from "./types";
import { Digits } from "./values/digits";
import { PoolTexture } from "./values/pool-texture";
import { Values } from "./values/values";

const DEFAULT_POOL_BYTES = 76e6;

export interface Parts {
  readonly canvas: HTMLCanvasElement;
  readonly renderer: WebGLRenderer;
  readonly scene: Scene;
  readonly camera: Camera;
  readonly uniforms: EyeUniforms;
  readonly values: Values;
  readonly texture: PoolTexture;
  readonly plates: PlateMesh;
  readonly pieces: PieceList;
  readonly ribbons: RibbonMesh;
  readonly labels: LabelMesh;
  readonly digits: Digits;
  readonly stage: Stage;
  readonly eye: Eye;
}

/** Makes them on a canvas; `schedule` asks for a frame.
 *  @throws NoWebGL2Error if the browser gives no WebGL2 context. */
export function makeParts(canvas: HTMLCanvasElement, options: MapOptions, schedule: () => void): Parts {
  const renderer = makeRenderer(canvas);
  const uniforms = makeEyeUniforms();
  const values = new Values(options.poolBytes ?? DEFAULT_POOL_BYTES);
  const texture = new PoolTexture(renderer);
  const plates = new PlateMesh(new PlateMaterials(uniforms, texture.values));
  const ribbons = new RibbonMesh(uniforms);
  const digits = new Digits(uniforms, values, schedule);
  const labels = new LabelMesh();
  const scene = new Scene();
  scene.add(plates.mesh, ribbons.mesh, digits.mesh, labels.mesh);
  scene.matrixWorldAutoUpdate = false;
  const stage = new Stage(values, plates);
  const eye = new Eye(options.reducedMotion, () => stage.layout);
  const pieces = new PieceList(plates, values, new Viewer(eye.state, 1, 1));
  const camera = new Camera();
  return {
    ...{ canvas, renderer, scene, camera, uniforms, values, texture },
    ...{ plates, pieces, ribbons, labels, digits, stage, eye },
  };
}

/** Gives all of them the colours of a theme. */
export function colourParts({ renderer, plates, ribbons, labels, digits }: Parts, theme: Theme): void {
  renderer.setClearColor(new Color(...rgb(theme.paper)), 1);
  plates.materials.setTheme(theme);
  ribbons.setTheme(theme);
  labels.setTheme(theme);
  digits.setTheme(theme);
}

/** Gives their memory back. */
export function disposeParts({ renderer, plates, ribbons, labels, digits, texture }: Parts): void {
  for (const part of [plates, ribbons, labels, digits, texture, renderer]) part.dispose();
}

/** The parts with which a plate is drawn onto another canvas. */
export const studioOf = ({ renderer, scene, camera, uniforms, plates, pieces }: Parts): Studio => ({
  ...{ renderer, scene, camera, plates, pieces },
  eye: uniforms,
});
