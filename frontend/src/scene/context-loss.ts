/** The graphics context, which the driver may take away and give back at any time. */

import { Listeners } from "./listeners";

export class ContextLoss {
  lost = false;
  readonly told = new Listeners<boolean>();

  /** `changed` puts right what the map itself holds, before anybody else is told. */
  constructor(
    canvas: HTMLCanvasElement,
    signal: AbortSignal,
    private readonly changed: (lost: boolean) => void,
  ) {
    canvas.addEventListener("webglcontextlost", () => this.set(true), { signal });
    canvas.addEventListener("webglcontextrestored", () => this.set(false), { signal });
  }

  private set(lost: boolean): void {
    this.lost = lost;
    this.changed(lost);
    this.told.tell(lost);
  }
}
