/** When frames are drawn: on demand, one per refresh of the display, until nothing moves any more. */

import { atFrame } from "../frames";

export interface Drawn {
  /** Draws; true while something still moves and the next frame is wanted as well. */
  draw(now: number, seconds: number): boolean;
  /** The eye has rested a moment. */
  rested(): void;
}

const REST = 120;

export class FrameLoop {
  /** When the last frame began; 0 before the first. */
  last = 0;
  /** Time the last frame took on the processor. */
  milliseconds = 0;
  private callOff: (() => void) | null = null;
  private restTimer = 0;
  /** The eye has moved, and who fetches values has not been told yet. */
  private unrested = false;
  private dirty = true;
  /** The eye has moved since the last frame. */
  private undrawn = false;
  private moving = false;
  private stopped = false;
  private waiting: (() => void)[] = [];

  constructor(private readonly drawn: Drawn) {}

  get idle(): boolean {
    return !this.dirty && !this.moving && !this.unrested;
  }

  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  schedule(): void {
    this.dirty = true;
    if (!this.stopped) this.callOff ??= atFrame("draw", (now) => this.frame(now));
  }

  /** Tells, once the eye has rested a moment, who fetches values. */
  rest(): void {
    this.undrawn = true;
    this.unrested = true;
    window.clearTimeout(this.restTimer);
    this.restTimer = window.setTimeout(() => this.rested(), REST);
  }

  /** What is wanted follows from what was drawn: on a busy machine that may not be the newest view yet. */
  private rested(): void {
    if (this.undrawn && !this.stopped) {
      this.rest();
      return;
    }
    this.unrested = false;
    this.drawn.rested();
    this.tellIdle();
  }

  private tellIdle(): void {
    if (this.idle) for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Draws nothing for now (the graphics context is lost), or again. */
  stop(stopped: boolean): void {
    this.stopped = stopped;
    if (!stopped) this.schedule();
  }

  dispose(): void {
    this.stopped = true;
    this.callOff?.();
    window.clearTimeout(this.restTimer);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private frame(now: number): void {
    this.callOff = null;
    if (this.stopped) return;
    const seconds = Math.min(0.1, Math.max(0.001, (now - this.last) / 1000));
    this.last = now;
    this.dirty = false;
    this.undrawn = false;
    const start = performance.now();
    this.moving = this.drawn.draw(now, seconds);
    this.milliseconds = performance.now() - start;
    if (this.moving) this.schedule();
    this.tellIdle();
  }
}
