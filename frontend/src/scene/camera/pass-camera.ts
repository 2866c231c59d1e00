/** Where the eye is while it follows a pass: from the view of one step to that of the next in the first moments of
 *  each, a function of the place alone. */

import type { View } from "../../layout/view";
import type { TimedPass } from "../../playback/pass-time";
import type { Place } from "../../playback/track";
import type { CameraState } from "../types";
import { between } from "./camera";

/** Seconds that the eye takes from step to step, and the most of a step that this may be. */
const MOVING = 0.6;
const MOST = 0.6;

export function stateOf({ target, distance, azimuth, elevation }: View): CameraState {
  const degrees = 180 / Math.PI;
  return { target, distance, azimuth: azimuth * degrees, elevation: elevation * degrees };
}

/** `viewOf` gives the view of a step. */
export function cameraAt(
  pass: TimedPass,
  { step, progress }: Place,
  viewOf: (step: number) => CameraState,
): CameraState {
  const { start, stop } = pass.steps[step]!;
  const way = (progress * (stop - start)) / Math.min(MOVING, MOST * (stop - start));
  return step === 0 || way >= 1 ? viewOf(step) : between(viewOf(step - 1), viewOf(step), way);
}
