/** The hands: pointer, wheel, touch and keys move the eye. What was grasped stays under the pointer when panning
 *  and zooming; orbiting turns about it. */

import { add, basisOf, clamp, dot, eyeOf, FIELD_OF_VIEW, lookingFrom, rayThrough, type Vec3 } from "./camera";
import type { CameraState } from "./types";

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
  click(x: number, y: number): void;
  doubleClick(x: number, y: number): void;
  schedule(): void;
}

interface Finger {
  x: number;
  y: number;
}

export class Controls {
  private readonly fingers = new Map<number, Finger>();
  private grasp: Vec3 | null = null;
  private orbiting = false;
  private moved = 0;
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
    on("keydown", (event) => this.key(event));
  }

  get moving(): boolean {
    return this.zoomLeft !== 0;
  }

  dispose(): void {
    this.stop.abort();
  }

  /** Carries on a smooth zoom; called once a frame. */
  tick(seconds: number): void {
    if (this.zoomLeft === 0 || !this.zoomAt) return;
    let part = this.zoomLeft * (1 - Math.exp(-seconds * 16));
    if (Math.abs(this.zoomLeft - part) < 0.004) part = this.zoomLeft;
    this.zoomLeft -= part;
    this.zoomToward(this.zoomAt, Math.exp(part));
  }

  private local(event: MouseEvent): [number, number] {
    const box = this.map.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(event: PointerEvent): void {
    const [x, y] = this.local(event);
    this.map.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x, y });
    this.zoomLeft = 0;
    this.orbiting = event.button === 2 || event.shiftKey;
    this.moved = this.fingers.size === 1 ? 0 : 100;
    const [cx, cy] = this.middle();
    this.grasp = this.map.pointAt(cx, cy);
  }

  private middle(): [number, number, number] {
    const all = [...this.fingers.values()];
    const x = all.reduce((sum, finger) => sum + finger.x, 0) / all.length;
    const y = all.reduce((sum, finger) => sum + finger.y, 0) / all.length;
    return [x, y, all.reduce((sum, finger) => sum + Math.hypot(finger.x - x, finger.y - y), 0) / all.length];
  }

  private drag(event: PointerEvent): void {
    const [x, y] = this.local(event);
    const finger = this.fingers.get(event.pointerId);
    if (!finger || !this.grasp) {
      this.map.hover(x, y);
      return;
    }
    const before = this.middle();
    finger.x = x;
    finger.y = y;
    const after = this.middle();
    const [dx, dy] = [after[0] - before[0], after[1] - before[1]];
    this.moved += Math.hypot(dx, dy);
    if (this.moved < 4) return;
    if (this.fingers.size > 1) {
      if (after[2] > 1 && before[2] > 1) this.zoomToward(this.grasp, before[2] / after[2]);
      this.orbit(dx, dy);
    } else if (this.orbiting) this.orbit(dx, dy);
    else this.pan(dx, dy);
  }

  private up(event: PointerEvent, completed: boolean): void {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (finger && completed && this.moved < 4 && this.fingers.size === 0 && event.button === 0)
      this.map.click(finger.x, finger.y);
    if (this.fingers.size > 0) {
      const [x, y] = this.middle();
      this.grasp = this.map.pointAt(x, y);
      this.orbiting = false;
    } else this.grasp = null;
  }

  private pan(dx: number, dy: number): void {
    const state = this.map.get();
    const { right, up, back } = basisOf(state.azimuth, state.elevation);
    const eye = eyeOf(state);
    const depth = Math.max(1, -dot(add(this.grasp ?? eye, eye, -1), back));
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

  private orbit(dx: number, dy: number): void {
    const state = this.map.get();
    const next = lookingFrom(
      eyeOf(state),
      state.distance,
      state.azimuth - dx * 0.3,
      state.elevation + dy * 0.3,
    );
    const old = basisOf(state.azimuth, state.elevation);
    const fresh = basisOf(next.azimuth, next.elevation);
    const about = this.grasp ?? eyeOf(state);
    const arm = add(eyeOf(state), about, -1);
    let eye = add(about, fresh.right, dot(arm, old.right));
    eye = add(eye, fresh.up, dot(arm, old.up));
    eye = add(eye, fresh.back, dot(arm, old.back));
    this.map.move(lookingFrom(eye, state.distance, next.azimuth, next.elevation));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 400 : 1;
    const change = clamp(event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0016), -1.2, 1.2);
    if (this.zoomLeft === 0) this.zoomAt = this.map.pointAt(...this.local(event));
    this.zoomLeft = clamp(this.zoomLeft + change, -3, 3);
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

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { clientWidth, clientHeight } = this.map.canvas;
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [1, 0],
      ArrowRight: [-1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const arrow = arrows[event.key];
    const zoom = event.key === "+" || event.key === "=" ? 0.8 : event.key === "-" ? 1.25 : null;
    // Left and right alone step through the forward pass.
    const stepping = !event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight");
    if ((!arrow && zoom === null) || stepping) return;
    event.preventDefault();
    this.grasp = this.map.pointAt(clientWidth / 2, clientHeight / 2);
    if (zoom !== null) this.zoomToward(this.grasp, zoom);
    else if (arrow && event.shiftKey) this.orbit(arrow[0] * 20, arrow[1] * 20);
    else if (arrow) this.pan((arrow[0] * clientWidth) / 12, (arrow[1] * clientHeight) / 12);
    this.grasp = null;
  }
}

/** Direction through a point of a canvas, in CSS pixels. */
export function rayAt(state: CameraState, canvas: HTMLCanvasElement, x: number, y: number): Vec3 {
  const width = Math.max(1, canvas.clientWidth);
  const height = Math.max(1, canvas.clientHeight);
  return rayThrough(state, width / height, (x / width) * 2 - 1, 1 - (y / height) * 2);
}
