/** The WebGL2 renderer of the map. */

import { ColorManagement, WebGLRenderer } from "three";
import { NoWebGL2Error } from "./types";

/** @throws NoWebGL2Error if the browser gives no WebGL2 context. */
export function makeRenderer(canvas: HTMLCanvasElement, antialias: boolean): WebGLRenderer {
  // Colours are given and mixed as displayed.
  ColorManagement.enabled = false;
  const context = canvas.getContext("webgl2", {
    antialias,
    alpha: false,
    depth: true,
    stencil: true,
    powerPreference: "high-performance",
  });
  if (!context) throw new NoWebGL2Error("This browser gives no WebGL2 context.");
  const renderer = new WebGLRenderer({ canvas, context, antialias, alpha: false, stencil: true });
  renderer.sortObjects = false; // plates, ribbons, overlays, labels: in the order in which they were added
  return renderer;
}
