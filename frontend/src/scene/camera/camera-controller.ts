/** Where the eye is and where it flies: one state, moved by hands, by flights, or placed. */

import type { Layout } from "../../layout/types";
import { Listeners } from "../listeners";
import { Viewer } from "../plates/visibility";
import type { CameraState } from "../types";
import { between, eyeOf, type Insets, rounded, sane, type Vec3 } from "./camera";
import { rayAt } from "./controls";
import { framingOf, HOME } from "./views";

interface Flight {
  readonly from: CameraState;
  readonly to: CameraState;
  readonly start: number;
  readonly duration: number;
}

/** A point of layout space on the canvas, in CSS pixels, and how many of these a cell has there. */
export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export class Eye {
  state: CameraState = { target: [0, 0, 0], distance: 100, ...HOME };
  /** The map's window, in the page's pixels. Kept, since asking the page makes it lay itself out anew. */
  window = { clientWidth: 0, clientHeight: 0 };
  /** True while the whole model is framed: it stays so when window or layout change. */
  fitted = true;
  readonly moved = new Listeners<CameraState>();
  /** What stays free for words where all of the model is framed. */
  insets: Insets = {};
  private framed: { readonly key: readonly unknown[]; readonly state: CameraState } | null = null;
  private flight: Flight | null = null;

  constructor(
    private readonly reducedMotion: boolean | undefined,
    private readonly layout: () => Layout,
  ) {}

  /** Width over height of the window. */
  get aspect(): number {
    const { clientWidth, clientHeight } = this.window;
    return clientHeight > 0 ? clientWidth / clientHeight : 1;
  }

  get flying(): boolean {
    return this.flight !== null;
  }

  /** World space: y up. */
  get place(): Vec3 {
    return eyeOf(this.state);
  }

  /** The state in short numbers, made for the address bar. */
  get rounded(): CameraState {
    return rounded(this.state);
  }

  /** Where it is bound for: the end of a flight, or where it is. */
  get bound(): CameraState {
    return rounded(this.flight?.to ?? this.state);
  }

  /** True where motion is not wanted: the eye jumps. */
  jumps(): boolean {
    return this.reducedMotion ?? window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  fit(animate: boolean): void {
    if (this.layout().plates.length === 0) return;
    this.goTo(this.home, animate);
    this.fitted = true;
  }

  /** Where all of the model is framed. */
  get home(): CameraState {
    const { plates } = this.layout();
    const key = [plates, this.aspect, this.insets];
    if (!this.framed || key.some((part, at) => part !== this.framed?.key[at])) {
      const { azimuth, elevation } = HOME;
      this.framed = { key, state: framingOf(plates, this.aspect, azimuth, elevation, this.insets) };
    }
    return this.framed.state;
  }

  goTo(to: CameraState, animate: boolean): void {
    this.fitted = false;
    this.flight = null;
    if (!animate || this.jumps()) {
      this.set(to);
      return;
    }
    const way = Math.hypot(...to.target.map((value, axis) => value - (this.state.target[axis] as number)));
    const far = way / Math.max(1, Math.min(to.distance, this.state.distance));
    const zoom = Math.abs(Math.log(to.distance / this.state.distance));
    const duration = Math.min(1500, 450 + 160 * Math.log1p(far) + 110 * zoom);
    this.flight = { from: this.state, to: sane(to), start: performance.now(), duration };
    this.moved.tell(this.rounded);
  }

  /** The hands move the eye. */
  moveTo(state: CameraState): void {
    this.flight = null;
    this.fitted = false;
    this.set(this.bounded(state));
  }

  /** Moves along with what is looked at, as far as that moved. */
  shift(way: Vec3): void {
    if (way.every((one) => one === 0)) return;
    const { target } = this.state;
    this.flight = null;
    this.set({ ...this.state, target: [target[0] + way[0], target[1] + way[1], target[2] + way[2]] });
  }

  /** Carries on a flight. */
  tick(now: number): void {
    const { flight } = this;
    if (!flight) return;
    const t = Math.min(1, Math.max(0, (now - flight.start) / flight.duration));
    if (t >= 1) this.flight = null;
    this.set(t >= 1 ? flight.to : between(flight.from, flight.to, t));
  }

  /** Draws from elsewhere for the time of a call, without telling anyone. */
  async during(state: CameraState, act: () => Promise<void>): Promise<void> {
    const before = this.state;
    this.flight = null;
    this.state = state;
    try {
      await act();
    } finally {
      this.state = before;
    }
  }

  /** Where a point of layout space is on the canvas; null when it is nearer than `near`, or behind. */
  project(x: number, y: number, z: number, near: number): ScreenPoint | null {
    const { clientWidth: width, clientHeight: height } = this.window;
    return new Viewer(this.state, this.aspect, height).project(x, y, z, width, height, near);
  }

  /** Direction, in world space, through a point of the canvas. */
  ray(x: number, y: number): Vec3 {
    return rayAt(this.state, this.window, x, y);
  }

  private set(state: CameraState): void {
    this.state = sane(state);
    this.moved.tell(this.rounded);
  }

  /** Keeps the model in reach: the point looked at stays near it, the eye not absurdly far. */
  private bounded(state: CameraState): CameraState {
    const { min, max } = this.layout().bounds;
    const size = Math.hypot(...max.map((value, axis) => value - (min[axis] as number)));
    const target = state.target.map((value, axis) => {
      const room = size * 0.25;
      return Math.min((max[axis] as number) + room, Math.max((min[axis] as number) - room, value));
    }) as unknown as CameraState["target"];
    return { ...state, target, distance: Math.min(state.distance, size * 4 + 50) };
  }
}
