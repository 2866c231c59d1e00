/** The frame router: gives each frame of the stream to the map, if it belongs to what is shown. */

import type { Frame } from "../net/types";
import type { NumbersSink } from "../scene/ports";
import { comparison } from "../state/difference";
import * as state from "../state/store";
import type { Wishes } from "./wishes";

export class FrameRouter {
  constructor(
    private readonly map: NumbersSink | null,
    private readonly wishes: Wishes,
  ) {}

  /** Hands a frame on; false where it is of something that is not shown any more. */
  take(frame: Frame): boolean {
    const { header } = frame;
    if (!isShown(header)) return false;
    if (header.type === "cells") this.map?.applyCells(header, singles(frame));
    else if (header.type === "tile") {
      this.wishes.came(header);
      this.map?.applyTile(header, halfFloats(frame));
    } else this.map?.applyRows(header, halfFloats(frame));
    count(header);
    return true;
  }
}

/** Whether a frame is of the model and, if of an activation, of the run shown, less what is taken from it. */
function isShown(header: Frame["header"]): boolean {
  const run = state.run.value?.id;
  if (header.type === "rows" && header.run !== run) return false;
  // Numbers of the run alone and differences never mix.
  if (header.run !== null && header.minus !== comparison.value?.run) return false;
  return header.run === null ? header.model === state.modelId.value : header.run === run;
}

/** Notes what has come, for whoever follows it. */
function count(header: Frame["header"]): void {
  state.framesTaken.value += 1;
  if (header.type === "rows") state.rowsTaken(header.name).value += 1;
  if (header.run !== null) state.reach(header.name);
  if (header.type === "rows" && !state.arrived.value.has(header.name))
    state.arrived.value = new Set(state.arrived.value).add(header.name);
}

/** The numbers of a frame that is printed, which come in full single precision. */
function singles(frame: Frame): Float32Array {
  if (frame.values instanceof Float32Array) return frame.values;
  throw new RangeError(`${frame.header.name} came as ${frame.header.dtype}, not as float32`);
}

/** The stream sends half floats; anything else is a mistake that has to show. */
function halfFloats(frame: Frame): Uint16Array {
  if (frame.values instanceof Uint16Array) return frame.values;
  throw new RangeError(`${frame.header.name} came as ${frame.header.dtype}, not as half floats`);
}
