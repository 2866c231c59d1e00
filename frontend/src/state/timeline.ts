/** The page's one timeline, and whether motion is wanted at all. */

import { signal } from "@preact/signals";
import { Timeline } from "../playback/timeline";

export const timeline = new Timeline();

/** The reader's system asks for less motion: what is played is shown as it ends, and the eye jumps. */
export const still = signal(false);
