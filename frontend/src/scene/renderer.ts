/** The canvas of the map and its WebGL2 renderer. */

import { ColorManagement, WebGLRenderer } from "three";
import { NoWebGL2Error } from "./types";

const CONTEXT: WebGLContextAttributes = {
  alpha: false,
  depth: true,
  stencil: true,
  powerPreference: "high-performance",
};

/** A canvas to make a map on: with smooth edges where a graphics card draws them. In software they would make every
 *  frame two to three times slower. What a context smooths is settled when it is made, and where drawing is in software
 *  every context is dear: so the first is without, and only a graphics card makes a second. */
export function makeCanvas(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { ...CONTEXT, antialias: false });
  if (!context || drawsInSoftware(context)) return canvas;
  context.getExtension("WEBGL_lose_context")?.loseContext();
  const smooth = document.createElement("canvas");
  smooth.getContext("webgl2", { ...CONTEXT, antialias: true });
  return smooth;
}

function drawsInSoftware(context: WebGL2RenderingContext): boolean {
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(context.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  return /swiftshader|llvmpipe|software/i.test(name);
}

/** @throws NoWebGL2Error if the browser gives no WebGL2 context. */
export function makeRenderer(canvas: HTMLCanvasElement): WebGLRenderer {
  // Colours are given and mixed as displayed.
  ColorManagement.enabled = false;
  const context = canvas.getContext("webgl2", CONTEXT); // the one that `makeCanvas` made
  if (!context) throw new NoWebGL2Error("This browser gives no WebGL2 context.");
  const renderer = new WebGLRenderer({ canvas, context });
  renderer.sortObjects = false; // plates, ribbons, overlays, labels: in the order in which they were added
  return renderer;
}
