/** Shows on the map where a pass stands: dims what takes no part, frames what is read and made, moves the eye along,
 *  and runs the clock. While nobody steps through a pass, nothing of it is on the map. */

import { effect, untracked } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { blockPace, type Moment, markOf, momentAt, type PassPlace, placeAt, timeOf } from "../../graph/pass";
import { isTokenAxis } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import { attentionAround, bringToFront, type HeadOf, headOf } from "../../layout/front";
import { dimsOf, dimsOfBlock, framesOf, viewOfBlock, viewOfStep } from "../../layout/pass-picture";
import type { Layout } from "../../layout/types";
import { HOME_FOV } from "../../layout/view";
import { type CameraState, cameraAt, makePassFrames, stateOf } from "../../scene";
import { between } from "../../scene/camera/camera";
import type { CameraPort, OverlayPort, PlacesPort, PosePort, ValuesPort } from "../../scene/ports";
import type { PlatePose } from "../../scene/types";
import { played, reading, sameCell, spokenOf } from "../../state/explain";
import {
  BLOCK_SECONDS,
  followsPass,
  type Passing,
  pass,
  passGrain,
  passing,
  passSpeed,
  passTold,
  viewIsGiven,
} from "../../state/pass";
import { attention, type Cell, framesTaken, graph, laidOut } from "../../state/store";
import { useActions } from "../shared/actions";
import { makeClock } from "./clock";
import { meaningOf } from "./pass-meaning";

/** Milliseconds of the eye's way to where it is to follow from. */
const APPROACH = 650;

/** Share of the window that a view fills: names stand above the plates. */
const ROOM = 0.86;

/** Where motion is not wanted, operations are shown whole, and the eye jumps. */
export const still = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The place as it is shown. */
export const shownPlace = (place: PassPlace): PassPlace => (still() ? { ...place, progress: 1 } : place);

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
  let leave: (() => void) | null = null;
  const stop = effect(() => {
    const active = passing.value !== null;
    untracked(() => {
      if (active && !leave) leave = enter(map, canvas);
      else if (!active) {
        leave?.();
        leave = null;
      }
    });
  });
  return () => {
    stop();
    leave?.();
  };
}

function enter(map: Stage | null, canvas: HTMLCanvasElement): () => void {
  const rider = map && new Rider(map);
  const stops = [
    keepTime(rider),
    ...(map && rider ? [showMoment(map), tell(map), follow(rider), fitAgain(rider, canvas)] : []),
  ];
  return () => {
    for (const stop of stops) stop();
    rider?.goHome();
  };
}

// ---- dims and frames ---------------------------------------------------------------------------------------

function showMoment(map: OverlayPort & PlacesPort & PosePort): () => void {
  const frames = makePassFrames();
  const remove = map.addOverlay(frames.make);
  let before = "";
  const stop = effect(() => {
    const [now, place, whole] = [graph.value, passing.value, pass.value];
    const ready = laidOut.value !== null && now !== null && place !== null && whole !== null;
    const moment = ready ? momentAt(now, whole, shownPlace(place), reading.value) : null;
    const block = passGrain.value === "block";
    const head = now && moment && !block ? headInFront(now, moment, place!) : null;
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

/** The head that stands before the others: the one of which something is made just now; where all are, the one that
 *  the attention panel shows, and while the clock runs the first before and the last after. */
function headInFront(now: Graph, { step, whole, makes }: Moment, place: Passing): HeadOf | null {
  const module = attentionAround(now, step.output.name);
  if (module === null) return null;
  if (!whole && makes[0]) return headOf(now, step.output.name, makes[0].start);
  const last = (now.sizes.head ?? 1) - 1;
  const chosen = place.running ? (place.progress < 0.5 ? 0 : last) : attention.value.head;
  return { attention: module, head: Math.min(chosen, last) };
}

/** Says in words what happens, also once the numbers it speaks of have come. */
function tell(map: ValuesPort): () => void {
  const stop = effect(() => {
    const [now, place, whole] = [graph.value, passing.value, pass.value];
    void framesTaken.value;
    const moment = now && place && whole ? momentAt(now, whole, shownPlace(place), reading.value) : null;
    if (!now || !place || !whole || !moment) {
      passTold.value = null;
      spokenOf.value = null;
      return;
    }
    const mark = markOf(whole, moment.step.number)?.name ?? "";
    const told = { ...meaningOf(now, moment, headInFront(now, moment, place), map), mark };
    // The clock runs on while the same is said.
    if (JSON.stringify(told) !== JSON.stringify(passTold.peek())) passTold.value = told;
    // Block by block, and before the first part of an operation, no cell is singled out.
    const cell = passGrain.value === "block" || moment.makes.length === 0 ? null : cellOf(moment, told.cell);
    if (!sameCell(cell, spokenOf.peek())) spokenOf.value = cell;
  });
  return () => {
    stop();
    passTold.value = null;
    spokenOf.value = null;
  };
}

/** The cell that a moment is shown by: of the token spoken of, in the middle of what is made for it. */
function cellOf({ step: { output, shape } }: Moment, told: Cell | null): Cell | null {
  if (!told) return null;
  const feature = output.axes.length - 1;
  const middle = !isTokenAxis(output.axes[feature]!) && output.axes[feature] !== "head";
  const index = told.index.map((at, axis) => (axis === feature && middle ? shape[axis]! >> 1 : at));
  return { tensor: told.tensor, index };
}

// ---- the eye -----------------------------------------------------------------------------------------------

/** The eye as it follows a pass. Hands that move it away switch following off. */
class Rider {
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
  begin(place: PassPlace): void {
    const now = performance.now();
    this.put = null;
    this.approach = still() ? null : { from: this.map.getCamera(), start: now };
    this.ride(place, now);
  }

  /** Moves the eye to where it is at a time. */
  ride(place: PassPlace, now: number): void {
    if (this.put && !identical(this.put, this.map.getCamera())) {
      followsPass.value = false;
      this.approach = null;
      return;
    }
    const goal = this.goal(shownPlace(place));
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

  private goal(place: PassPlace): CameraState | null {
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

/** Goes after every step taken by hand, and to where the clock stands when it begins to run or following is switched
 *  on. A view that the address asked for stays until then. */
function follow(rider: Rider): () => void {
  let before = { step: -1, running: false, follows: false, block: "" };
  return effect(() => {
    const [place, whole] = [passing.value, pass.value];
    if (laidOut.value === null || !place) return;
    const block = passGrain.value === "block" && whole ? markOf(whole, place.step)!.name : "";
    const now = { step: place.step, running: place.running, follows: followsPass.value, block };
    const moved = (!now.running && now.step !== before.step) || now.block !== before.block;
    const begins = now.follows && (!before.follows || moved || (now.running && !before.running));
    before = now;
    untracked(() => {
      if (begins && !viewIsGiven.value) rider.begin(place);
      viewIsGiven.value = false;
    });
  });
}

/** Another shape of the window has another view of the same step; the bar itself takes some of the map's height. */
function fitAgain(rider: Rider, canvas: HTMLCanvasElement): () => void {
  const watch = new ResizeObserver(() => {
    const place = passing.peek();
    if (place && followsPass.peek() && rider.hasSeen) rider.ride(place, performance.now());
  });
  watch.observe(canvas);
  return () => watch.disconnect();
}

// ---- the clock ---------------------------------------------------------------------------------------------

/** Moves the clock on, frame by frame, as long as it runs, and the eye as long as it is on its way. */
function keepTime(rider: Rider | null): () => void {
  const clock = makeClock((seconds, time) => {
    const place = passing.peek();
    if (place?.running) advance(place, seconds * passSpeed.peek());
    const now = passing.peek();
    if (now && rider && followsPass.peek()) rider.ride(now, time);
    return Boolean(passing.peek()?.running || (followsPass.peek() && rider?.moving));
  });
  const stop = effect(() => {
    void [passing.value, followsPass.value, laidOut.value];
    clock.wake();
  });
  const stopForOthers = effect(() => {
    // Only one clock at a time: the arithmetic of a cell stops the pass.
    const place = passing.peek();
    if (played.value?.running && place?.running) passing.value = { ...place, running: false };
  });
  return () => {
    stop();
    stopForOthers();
    clock.stop();
  };
}

function advance(place: PassPlace, seconds: number): void {
  const whole = pass.peek();
  if (!whole) return;
  const faster = passGrain.peek() === "block" ? blockPace(whole, place.step, BLOCK_SECONDS) : 1;
  const time = timeOf(whole, place) + seconds * faster;
  passing.value = { ...placeAt(whole, time), running: time < whole.seconds };
}
