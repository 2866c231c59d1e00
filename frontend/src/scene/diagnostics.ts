/** What tests and the bench measure and provoke. No panel asks for it. */

import { benchmarkView, panned } from "./camera/views";
import type { FrameLoop } from "./frame-loop";
import type { FrameRenderer } from "./frame-renderer";
import type { Parts } from "./parts";
import type { PlatePictures } from "./plates/plate-pictures";
import type { BenchmarkView, MapStats } from "./types";

/** What is measured, beside the parts. */
export interface Measured {
  readonly frame: FrameRenderer;
  readonly loop: FrameLoop;
  readonly pictures: PlatePictures;
  /** Tiles that the view lacks. */
  tilesWanted(): number;
  /** Draws a frame. */
  draw(now: number): void;
}

/** Bytes of textures that hold values. */
export const textureBytes = ({ texture }: Parts, { pictures }: Measured): number =>
  texture.bytes + pictures.bytes;

export function statsOf(parts: Parts, measured: Measured): MapStats {
  const { plates, pieces, stage, labels, digits, texture, values } = parts;
  const { frame, loop } = measured;
  return {
    drawCalls: frame.calls,
    plateDrawCalls: plates.drawn > 0 ? 1 : 0,
    plates: stage.windows.length,
    platesDrawn: plates.drawn,
    labels: labels.count,
    digits: digits.count,
    ribbons: stage.layout.ribbons.length,
    textureBytes: textureBytes(parts, measured),
    layers: texture.layers,
    layersUsed: values.pool.layersUsed,
    tilesHere: values.tilesHeld,
    tilesWanted: measured.tilesWanted(),
    weightsMissing: pieces.missing,
    frameMilliseconds: loop.milliseconds,
    framesDrawn: frame.frames,
  };
}

/** Measures the milliseconds of each frame while panning, ended by reading back a pixel. */
export async function measureFrames(
  { eye, stage, renderer }: Parts,
  { frame, loop, draw }: Measured,
  frames: number,
  view: BenchmarkView,
  bare: boolean,
): Promise<readonly number[]> {
  const times: number[] = [];
  const gl = renderer.getContext();
  const pixel = new Uint8Array(4);
  const from = benchmarkView(stage.layout, view, eye.aspect);
  await eye.during(from, async () => {
    frame.bare = bare;
    for (let i = -1; i < frames; i++) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      eye.state = panned(from, i);
      const start = performance.now();
      draw(start);
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
      if (i >= 0) times.push(performance.now() - start); // the first one only warms up
    }
  });
  frame.bare = false;
  loop.schedule();
  return times;
}

/** Takes the graphics context away, as a driver may, and gives it back later. */
export function loseContext({ renderer }: Parts, restoreAfterMilliseconds: number): void {
  const extension = renderer.getContext().getExtension("WEBGL_lose_context");
  extension?.loseContext();
  window.setTimeout(() => extension?.restoreContext(), restoreAfterMilliseconds);
}
