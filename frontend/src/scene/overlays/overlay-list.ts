/** The overlays that are up, drawn in the order in which they were added. */

import type { Parts } from "../parts";
import type { Theme } from "../themes";
import type { Unsubscribe } from "../types";
import type { MakeOverlay, Overlay, OverlayFrame, OverlayHost } from "./overlay";

export class OverlayList {
  private readonly overlays = new Set<Overlay>();

  constructor(
    private readonly parts: Parts,
    private readonly host: OverlayHost,
  ) {}

  add(make: MakeOverlay, theme: Theme): Unsubscribe {
    const { scene, labels } = this.parts;
    const overlay = make(this.host);
    overlay.setTheme(theme);
    this.overlays.add(overlay);
    // Drawn in this order: what is added again goes to the end.
    scene.add(overlay.object, labels.mesh);
    for (const one of this.overlays) if (one.aboveLabels) scene.add(one.object);
    this.host.schedule();
    return () => {
      if (!this.overlays.delete(overlay)) return;
      scene.remove(overlay.object);
      overlay.dispose();
      this.host.schedule();
    };
  }

  /** Lets all of them follow the frame; true while one moves. */
  update(frame: OverlayFrame): boolean {
    let moving = false;
    for (const overlay of this.overlays) moving = overlay.update(frame) || moving;
    return moving;
  }

  setTheme(theme: Theme): void {
    for (const overlay of this.overlays) overlay.setTheme(theme);
  }

  restore(): void {
    for (const overlay of this.overlays) overlay.restore?.();
  }

  dispose(): void {
    for (const overlay of this.overlays) {
      this.parts.scene.remove(overlay.object);
      overlay.dispose();
    }
    this.overlays.clear();
  }
}
