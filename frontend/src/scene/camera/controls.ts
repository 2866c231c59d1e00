/** The hands: pointer, wheel, touch and keys move the eye. What was grasped stays under the pointer when panning
 *  and zooming; orbiting turns about it; what is let go on the way glides on. */

import type { CameraState, Nudge } from "../types";
import { add, basisOf, clamp, dot, eyeOf, FIELD_OF_VIEW, lookingFrom, rayThrough, type Vec3 } from "./camera";
import { glide, releaseSpeed, type Speed, type Trace } from "./inertia";
import { meant, type Spread, spreadOf, type TwoFingers } from "./two-fingers";

/** What the controls need of the map. Points are CSS pixels of the canvas, positions world space (y up). */
export interface Movable {
  readonly canvas: HTMLCanvasElement;
  get(): CameraState;
  /** Moves the eye at once and ends any flight. */
  move(state: CameraState): void;
  /** The point of a plate there, else the point at the distance looked at. */
  pointAt(x: number, y: number): Vec3;
  smooth(): boolean;
  hover(x: number, y: number): void;
  leave(): void;
  /** `finger`: it was no mouse that did it. */
  click(x: number, y: number, finger: boolean): void;
  doubleClick(x: number, y: number): void;
  schedule(): void;
}

interface Finger {
  x: number;
  y: number;
}

/** Degrees a pixel. */
const TURN = 0.3;
/** So many points of a drag are remembered. */
const TRACES = 12;

export class Controls {
  private readonly fingers = new Map<number, Finger>();
  private grasp: Vec3 | null = null;
  private orbiting = false;
  private moved = 0;
  /** What two fingers do, and how they began. */
  private pair: { start: Spread; gesture: TwoFingers } | null = null;
  private traces: Trace[] = [];
  /** The map, let go, goes on: how fast, about which point, and whether it turns. */
  private gliding: { speed: Speed; about: Vec3; turns: boolean } | null = null;
  private zoomLeft = 0;
  private zoomAt: Vec3 | null = null;
  private readonly stop = new AbortController();

  constructor(private readonly map: Movable) {
    const { canvas } = map;
    canvas.style.touchAction = "none";
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      react: (event: HTMLElementEventMap[K]) => void,
    ): void => canvas.addEventListener(name, react, { signal: this.stop.signal, passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.drag(event));
    on("pointerup", (event) => this.up(event, true));
    on("pointercancel", (event) => this.up(event, false));
    on("pointerleave", () => this.fingers.size === 0 && map.leave());
    on("wheel", (event) => this.wheel(event));
    on("contextmenu", (event) => event.preventDefault());
    on("dblclick", (event) => map.doubleClick(...this.local(event)));
  }

  get moving(): boolean {
    return this.zoomLeft !== 0 || this.gliding !== null;
  }

  /** Ends what still moves by itself: the eye is taken elsewhere. */
  halt(): void {
    this.zoomLeft = 0;
    this.gliding = null;
  }

  dispose(): void {
    this.stop.abort();
  }

  /** Carries on a smooth zoom and a glide; called once a frame. */
  tick(seconds: number): void {
    this.glideOn(seconds);
    if (this.zoomLeft === 0 || !this.zoomAt) return;
    let part = this.zoomLeft * (1 - Math.exp(-seconds * 16));
    if (Math.abs(this.zoomLeft - part) < 0.004) part = this.zoomLeft;
    this.zoomLeft -= part;
    this.zoomToward(this.zoomAt, Math.exp(part));
  }

  private glideOn(seconds: number): void {
    const now = this.gliding;
    if (!now) return;
    const { way, speed } = glide(now.speed, seconds);
    this.gliding = speed && { ...now, speed };
    if (now.turns) this.orbit(now.about, way[0], way[1]);
    else this.pan(now.about, way[0], way[1]);
  }

  private local(event: MouseEvent): [number, number] {
    const box = this.map.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(event: PointerEvent): void {
    const [x, y] = this.local(event);
    this.map.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x, y });
    this.halt();
    this.orbiting = event.button === 2 || event.shiftKey;
    this.moved = this.fingers.size === 1 ? 0 : 100;
    this.regrasp(event.timeStamp);
  }

  /** Takes hold of what is now between the fingers. */
  private regrasp(time: number): void {
    const spread = spreadOf(this.fingers.values());
    this.grasp = this.map.pointAt(spread.x, spread.y);
    this.pair = this.fingers.size > 1 ? { start: spread, gesture: "undecided" } : null;
    this.traces = [{ ...spread, time }];
  }

  private drag(event: PointerEvent): void {
    const [x, y] = this.local(event);
    const finger = this.fingers.get(event.pointerId);
    if (!finger || !this.grasp) {
      this.map.hover(x, y);
      return;
    }
    const before = spreadOf(this.fingers.values());
    finger.x = x;
    finger.y = y;
    const after = spreadOf(this.fingers.values());
    const [dx, dy] = [after.x - before.x, after.y - before.y];
    this.traces = [...this.traces.slice(1 - TRACES), { x: after.x, y: after.y, time: event.timeStamp }];
    this.moved += Math.hypot(dx, dy);
    if (this.moved < 4) return;
    if (this.pair) this.dragPair(this.pair, this.grasp, before, after);
    else if (this.orbiting) this.orbit(this.grasp, dx, dy);
    else this.pan(this.grasp, dx, dy);
  }

  private dragPair(pair: NonNullable<typeof this.pair>, grasp: Vec3, before: Spread, after: Spread): void {
    if (pair.gesture === "undecided") {
      pair.gesture = meant(pair.start, after);
      // What the fingers did until they were understood counts as well.
      before = pair.start;
    }
    if (pair.gesture === "turn") this.orbit(grasp, after.x - before.x, after.y - before.y);
    if (pair.gesture !== "pinch") return;
    if (after.size > 1 && before.size > 1) this.zoomToward(grasp, before.size / after.size);
    this.pan(grasp, after.x - before.x, after.y - before.y);
  }

  private up(event: PointerEvent, completed: boolean): void {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (finger && completed && this.moved < 4 && this.fingers.size === 0 && event.button === 0)
      this.map.click(finger.x, finger.y, event.pointerType === "touch");
    if (this.fingers.size > 0) {
      this.orbiting = false;
      this.regrasp(event.timeStamp);
      return;
    }
    if (finger && completed && !this.pair && this.moved >= 4) this.letGo(event.timeStamp);
    this.grasp = null;
    this.pair = null;
  }

  private letGo(time: number): void {
    const speed = releaseSpeed(this.traces, time);
    if (!speed || !this.grasp || !this.map.smooth()) return;
    this.gliding = { speed, about: this.grasp, turns: this.orbiting };
    this.map.schedule();
  }

  /** Moves what stands as far away as `about` by so many pixels. */
  private pan(about: Vec3, dx: number, dy: number): void {
    const state = this.map.get();
    const { right, up, back } = basisOf(state.azimuth, state.elevation);
    const eye = eyeOf(state);
    const depth = Math.max(1, -dot(add(about, eye, -1), back));
    const cells = (depth * 2 * Math.tan(FIELD_OF_VIEW / 2)) / this.map.canvas.clientHeight;
    this.map.move(
      lookingFrom(
        add(add(eye, right, -dx * cells), up, dy * cells),
        state.distance,
        state.azimuth,
        state.elevation,
      ),
    );
  }

  /** Turns about a point, by so many pixels of a drag. */
  private orbit(about: Vec3, dx: number, dy: number): void {
    const state = this.map.get();
    const next = lookingFrom(
      eyeOf(state),
      state.distance,
      state.azimuth - dx * TURN,
      state.elevation + dy * TURN,
    );
    const old = basisOf(state.azimuth, state.elevation);
    const fresh = basisOf(next.azimuth, next.elevation);
    const arm = add(eyeOf(state), about, -1);
    let eye = add(about, fresh.right, dot(arm, old.right));
    eye = add(eye, fresh.up, dot(arm, old.up));
    eye = add(eye, fresh.back, dot(arm, old.back));
    this.map.move(lookingFrom(eye, state.distance, next.azimuth, next.elevation));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 400 : 1;
    this.zoomSmoothly(event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0016), this.local(event));
  }

  /** Zooms at a point of the canvas, by the logarithm of a factor. */
  private zoomSmoothly(change: number, [x, y]: readonly [number, number]): void {
    this.gliding = null;
    if (this.zoomLeft === 0) this.zoomAt = this.map.pointAt(x, y);
    this.zoomLeft = clamp(this.zoomLeft + clamp(change, -1.2, 1.2), -3, 3);
    if (!this.map.smooth()) {
      const left = this.zoomLeft;
      this.zoomLeft = 0;
      if (this.zoomAt) this.zoomToward(this.zoomAt, Math.exp(left));
    } else this.map.schedule();
  }

  /** Multiplies the distance from a point to the eye; the point stays where it is on the screen. */
  private zoomToward(point: Vec3, factor: number): void {
    const state = this.map.get();
    const { back } = basisOf(state.azimuth, state.elevation);
    const arm = add(eyeOf(state), point, -1);
    const depth = Math.max(0.01, dot(arm, back));
    const bounded = Math.max(factor, 6 / depth);
    if (factor < 1 && bounded >= 1) return;
    const eye = add(point, arm, bounded);
    this.map.move(lookingFrom(eye, depth * bounded, state.azimuth, state.elevation));
  }

  /** A small move about the middle of the window, as keys make it. */
  nudge(by: Nudge): void {
    const { clientWidth, clientHeight } = this.map.canvas;
    const middle = [clientWidth / 2, clientHeight / 2] as const;
    if ("zoom" in by) {
      this.zoomSmoothly(Math.log(by.zoom), middle);
      return;
    }
    this.halt();
    const about = this.map.pointAt(...middle);
    if ("turn" in by) this.orbit(about, -by.turn[0] / TURN, by.turn[1] / TURN);
    else this.pan(about, -by.pan[0] * clientWidth, -by.pan[1] * clientHeight);
  }
}

/** Direction through a point of a canvas, in CSS pixels. */
export function rayAt(
  state: CameraState,
  { clientWidth, clientHeight }: Pick<HTMLCanvasElement, "clientWidth" | "clientHeight">,
  x: number,
  y: number,
): Vec3 {
  const width = Math.max(1, clientWidth);
  const height = Math.max(1, clientHeight);
  return rayThrough(state, width / height, (x / width) * 2 - 1, 1 - (y / height) * 2);
}
