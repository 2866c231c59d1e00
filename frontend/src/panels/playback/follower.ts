/** The eye as it follows a pass. Hands that move it away switch following off. */

import { effect, untracked } from "@preact/signals";
import { markOf } from "../../graph/pass";
import { viewOfBlock, viewOfStep } from "../../layout/pass-picture";
import type { Layout } from "../../layout/types";
import { HOME_FOV } from "../../layout/view";
import type { Place } from "../../playback/track";
import { type CameraState, cameraAt, stateOf } from "../../scene";
import { between } from "../../scene/camera/camera";
import type { CameraPort, PlacesPort } from "../../scene/ports";
import { pass, passGrain, passing, shownPlace, viewIsGiven } from "../../state/pass";
import { reading } from "../../state/source";
import { graph, laidOut } from "../../state/store";
import { still, timeline } from "../../state/timeline";

/** Milliseconds of the eye's way to where it is to follow from. */
const APPROACH = 650;

/** Share of the window that a view fills: names stand above the plates. */
const ROOM = 0.86;

export class Follower {
  /** Where the eye was before, and of which model; null where it had not seen anything yet. */
  private readonly home: CameraState | null;
  private readonly graph = graph.peek();
  private readonly views = new Map<number, CameraState>();
  private of: Layout | null = null;
  private aspect = 1;
  /** Where the eye was to be last, and what the map then said; null where it has not been put anywhere. */
  private wanted: CameraState | null = null;
  private put: CameraState | null = null;
  private approach: { readonly from: CameraState; readonly start: number } | null = null;

  constructor(private readonly map: CameraPort & PlacesPort) {
    this.home = map.layout.plates.length > 0 ? map.getCamera() : null;
  }

  get moving(): boolean {
    return this.approach !== null;
  }

  /** Whether it has moved the eye at all. */
  get hasSeen(): boolean {
    return this.put !== null;
  }

  /** Begins to move from where the eye is to where it is to be. */
  begin(): void {
    const now = performance.now();
    this.put = null;
    this.approach = still.peek() ? null : { from: this.map.getCamera(), start: now };
    this.ride(now);
  }

  /** Moves the eye to where it is at a time. A cell that is played over the pass has a view of its own. */
  ride(now: number): void {
    if (timeline.picture.peek().cell) return;
    if (this.put && !identical(this.put, this.map.getCamera())) {
      timeline.follows.value = false;
      this.approach = null;
      return;
    }
    const place = shownPlace.peek();
    const goal = place && this.goal(place);
    if (!goal) return;
    let state = goal;
    if (this.approach) {
      const way = (now - this.approach.start) / APPROACH;
      if (way < 1) state = between(this.approach.from, goal, Math.max(0, way));
      else this.approach = null;
    }
    if (!this.put || !this.wanted || !identical(state, this.wanted)) this.map.setCamera(state, false);
    this.wanted = state;
    this.put = this.map.getCamera();
  }

  goHome(): void {
    if (graph.peek() !== this.graph) return;
    if (this.home) this.map.setCamera(this.home, true);
    else this.map.fit(true);
  }

  private goal(place: Place): CameraState | null {
    const [now, whole] = [graph.peek(), pass.peek()];
    const { layout, aspect } = this.map;
    if (!now || !whole?.steps[place.step] || layout.plates.length === 0) return null;
    if (this.of !== layout || this.aspect !== aspect) this.views.clear();
    [this.of, this.aspect] = [layout, aspect];
    const lens = { fov: HOME_FOV * ROOM, aspect };
    if (passGrain.peek() === "block") return stateOf(viewOfBlock(layout, whole.steps[place.step]!, lens));
    return cameraAt(whole, place, (step) => {
      const known =
        this.views.get(step) ??
        stateOf(viewOfStep(now, layout, whole.steps[step]!, reading.peek().positions, lens));
      this.views.set(step, known);
      return known;
    });
  }
}

const identical = (one: CameraState, other: CameraState): boolean =>
  one.target.every((value, axis) => value === other.target[axis]) &&
  one.distance === other.distance &&
  one.azimuth === other.azimuth &&
  one.elevation === other.elevation;

/** Goes after every step taken by hand, and to where the clock stands when it begins to run, when following is switched
 *  on, and when a cell that was played over it is left. A view that the address asked for stays until then. */
export function follow(follower: Follower): () => void {
  let before = { step: -1, running: false, follows: false, block: "", covered: false };
  return effect(() => {
    const [place, whole] = [passing.value, pass.value];
    if (laidOut.value === null || !place) return;
    const block = passGrain.value === "block" && whole ? markOf(whole, place.step)!.name : "";
    const covered = timeline.picture.value.cell !== null;
    const { step, running } = place;
    const now = { step, running, follows: timeline.follows.value, block, covered };
    const moved = (!now.running && now.step !== before.step) || now.block !== before.block;
    const uncovered = before.covered && !covered;
    const begins = now.follows && (!before.follows || moved || uncovered || (now.running && !before.running));
    before = now;
    untracked(() => {
      if (begins && !viewIsGiven.value) follower.begin();
      viewIsGiven.value = false;
    });
  });
}

/** Another shape of the window has another view of the same step; the bar itself takes some of the map's height. */
export function fitAgain(follower: Follower, canvas: HTMLCanvasElement): () => void {
  const watch = new ResizeObserver(() => {
    if (passing.peek() && timeline.follows.peek() && follower.hasSeen) follower.ride(performance.now());
  });
  watch.observe(canvas);
  return () => watch.disconnect();
}
