/** Moves the eye for whoever asks, and says so of the ways that somebody asked for. */

import { Listeners } from "../listeners";
import type { CameraPort, FlightPort } from "../ports";
import type { CameraState, Flight, FlightTarget, LabelSubject, Nudge, Unsubscribe } from "../types";
import { rounded, sane } from "./camera";
import type { Eye } from "./camera-controller";
import type { Framing } from "./framing";

/** The hands on the map: where they let it go, it glides on until it is halted. */
export interface Hands {
  halt(): void;
  nudge(by: Nudge): void;
}

export class Flights implements CameraPort, FlightPort {
  private readonly told = new Listeners<Flight>();

  constructor(
    private readonly eye: Eye,
    private readonly framing: Framing,
    private readonly hands: Hands,
  ) {}

  get aspect(): number {
    return this.eye.aspect;
  }

  get flying(): boolean {
    return this.eye.flying;
  }

  getCamera(): CameraState {
    return this.eye.rounded;
  }

  setCamera(state: CameraState, animate = false): void {
    this.hands.halt();
    this.eye.goTo(sane(state), animate);
  }

  fit(animate = true): void {
    if (animate && this.framing.hasModel) this.announce(this.eye.home);
    this.hands.halt();
    this.eye.fit(animate);
  }

  faceOn(animate = true): void {
    this.setOut(this.framing.straight(), animate);
  }

  flyTo(target: FlightTarget, animate = true): boolean {
    return this.setOut(this.framing.of(target), animate);
  }

  flyToLabel(subject: LabelSubject): void {
    this.setOut(this.framing.ofLabel(subject));
  }

  nudge(by: Nudge): void {
    this.hands.nudge(by);
  }

  onCameraChange(listener: (state: CameraState) => void): Unsubscribe {
    return this.eye.moved.add(listener);
  }

  onFlight(listener: (flight: Flight) => void): Unsubscribe {
    return this.told.add(listener);
  }

  /** Sets out for a place that somebody asked for; false where there is none. */
  setOut(to: CameraState | null, animate = true): boolean {
    if (!to) return false;
    this.announce(to);
    this.hands.halt();
    this.eye.goTo(to, animate);
    return true;
  }

  private announce(to: CameraState): void {
    this.told.tell({ from: this.eye.bound, to: rounded(sane(to)) });
  }
}
