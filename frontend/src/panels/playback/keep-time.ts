/** The one clock of what is played: moves the timeline on, frame by frame, as long as it runs, and the eye as long as it
 *  is on its way. */

import { effect } from "@preact/signals";
import { laidOut } from "../../state/store";
import { timeline } from "../../state/timeline";
import { makeClock } from "./clock";
import type { Follower } from "./follower";

export function keepTime(followerNow: () => Follower | null): () => void {
  const clock = makeClock((seconds, now) => {
    timeline.advance(seconds);
    const follower = timeline.follows.peek() ? followerNow() : null;
    follower?.ride(now);
    return timeline.running.peek() || (timeline.follows.peek() && (followerNow()?.moving ?? false));
  });
  const stop = effect(() => {
    void [timeline.place.value, timeline.running.value, timeline.follows.value, laidOut.value];
    if (timeline.picture.value.pass || timeline.picture.value.cell) clock.wake();
  });
  return () => {
    stop();
    clock.stop();
  };
}
