/** Shows on the map where a pass stands: dims what takes no part, frames what is read and made, and moves the eye along.
 *  While nobody steps through a pass, nothing of it is on the map. Keeps the time of all that is played. */

import { effect, untracked } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { bringToFront } from "../../layout/front";
import { dimsOf, dimsOfBlock, framesOf } from "../../layout/pass-picture";
import { makePassFrames } from "../../scene";
import type { CameraPort, OverlayPort, PlacesPort, PosePort, ValuesPort } from "../../scene/ports";
import type { PlatePose } from "../../scene/types";
import { numbersShown, pass, passGrain, passing, shownHead, shownMoment } from "../../state/pass";
import { graph, laidOut } from "../../state/store";
import { useActions } from "../shared/actions";
import { Follower, fitAgain, follow } from "./follower";
import { keepTime } from "./keep-time";

/** `canvas` is the map's own. */
export function PassStage({ canvas }: { canvas: HTMLCanvasElement }) {
  const { map } = useActions();
  useEffect(() => stage(map, canvas), [map, canvas]);
  return null;
}

/** What the playing of a pass asks of the map. */
type Stage = CameraPort & OverlayPort & PlacesPort & PosePort & ValuesPort;

/** Puts up what is needed whenever somebody begins to step through; call the result to take it away. */
function stage(map: Stage | null, canvas: HTMLCanvasElement): () => void {
  let entered: Entered | null = null;
  if (map) numbersShown.value = map;
  const stop = effect(() => {
    const active = passing.value !== null;
    untracked(() => {
      if (active && !entered && map) entered = enter(map, canvas);
      else if (!active) {
        entered?.leave();
        entered = null;
      }
    });
  });
  const stopTime = keepTime(() => entered?.follower ?? null);
  return () => {
    stopTime();
    stop();
    entered?.leave();
  };
}

interface Entered {
  readonly follower: Follower;
  readonly leave: () => void;
}

function enter(map: Stage, canvas: HTMLCanvasElement): Entered {
  const follower = new Follower(map);
  const stops = [showMoment(map), follow(follower), fitAgain(follower, canvas)];
  return {
    follower,
    leave: () => {
      for (const stop of stops) stop();
      follower.goHome();
    },
  };
}

function showMoment(map: OverlayPort & PlacesPort & PosePort): () => void {
  const frames = makePassFrames();
  const remove = map.addOverlay(frames.make);
  let before = "";
  const stop = effect(() => {
    const [now, whole, head] = [graph.value, pass.value, shownHead.value];
    const moment = laidOut.value === null ? null : shownMoment.value;
    const block = passGrain.value === "block";
    // Frames change part by part, the clock runs on in between.
    const same = `${JSON.stringify(laidOut.value)} ${block} ${moment?.step.output.name} ${JSON.stringify(moment?.makes)} ${head?.head}`;
    if (same === before) return;
    before = same;
    if (!now || !whole || !moment) {
      frames.show([]);
      return;
    }
    const { layout } = map;
    const front = head && bringToFront(now, layout, head);
    const dims = block
      ? dimsOfBlock(layout, whole, moment.step)
      : dimsOf(now, layout, whole, moment.step, front);
    const poses = new Map<number, PlatePose>([...dims].map(([id, dim]) => [id, { dim }]));
    for (const [id, { by, label }] of front?.moved ?? [])
      poses.set(id, { ...poses.get(id), offset: by, label });
    map.pose(poses);
    frames.show(framesOf(now, layout, moment, front));
  });
  return () => {
    stop();
    remove();
    map.pose(new Map());
  };
}
