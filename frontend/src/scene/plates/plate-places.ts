/** Where cells stand: on the canvas, and in the layout once what glides has come to rest. */

import type { Layout } from "../../layout/types";
import type { FrameRenderer } from "../frame-renderer";
import type { PlacesPort } from "../ports";
import type { CellPattern } from "../types";
import type { Stage } from "./plate-state";
import type { PoseGlide } from "./pose-glide";

export class PlatePlaces implements PlacesPort {
  constructor(
    private readonly stage: Stage,
    private readonly frame: FrameRenderer,
    private readonly glide: PoseGlide,
  ) {}

  get layout(): Layout {
    return this.stage.layout;
  }

  project(cell: CellPattern): { x: number; y: number } | null {
    const place = this.place(cell);
    const at = place && this.frame.onScreen(...place);
    return at && { x: at.x, y: at.y };
  }

  place(cell: CellPattern): readonly [number, number, number] | null {
    const found = this.stage.find(cell);
    if (!found) return null;
    const { plate, rectangle } = found;
    const [right, down, nearer] = this.glide.left(plate.id);
    return [
      plate.x + right + (rectangle[0] + rectangle[2]) / 2,
      plate.y + down + (rectangle[1] + rectangle[3]) / 2,
      plate.z + nearer,
    ];
  }
}
