/** Pictures of plates and of any matrix on other canvases of the page, drawn with the map's own shader. */

import { type Parts, studioOf } from "../parts";
import type { MatrixPort } from "../ports";
import { type Theme, themes } from "../themes";
import type { MatrixDrawing, PlateDrawing, ThemeName } from "../types";
import { MatrixDrawer } from "./matrix-drawing";
import { drawPlateInto, shows } from "./plate-drawing";

/** The colours that the map has now. */
export interface Coloured {
  readonly theme: ThemeName;
  readonly colours: Theme;
}

export class PlatePictures implements MatrixPort {
  private matrices: MatrixDrawer | null = null;

  constructor(
    private readonly parts: Parts,
    private readonly coloured: Coloured,
    private readonly isLost: () => boolean,
  ) {}

  /** Bytes of textures that hold values of matrices. */
  get bytes(): number {
    return this.matrices?.bytes ?? 0;
  }

  /** Draws one plate straight on; false when it has none. The map's own next frame has to be drawn anew. */
  drawPlate(target: HTMLCanvasElement, drawing: PlateDrawing): boolean {
    const { stage, texture, values } = this.parts;
    const number = stage.windows.findIndex(({ plate }) => shows(plate, drawing));
    const window = stage.windows[number];
    if (!window || !this.canDraw(target)) return false;
    texture.update(values.pool);
    drawPlateInto(target, studioOf(this.parts), number, window, drawing);
    return true;
  }

  drawMatrix(target: HTMLCanvasElement, drawing: MatrixDrawing): boolean {
    if (!this.canDraw(target)) return false;
    const { materials } = this.parts.plates;
    this.matrices ??= new MatrixDrawer(this.parts.renderer);
    // A matrix is given its numbers, and these are the run's own.
    materials.setTheme(themes[this.coloured.theme]);
    this.matrices.draw(target, studioOf(this.parts), drawing);
    materials.setTheme(this.coloured.colours);
    return true;
  }

  /** After the context was lost and came back: nothing of the old textures is left. */
  forget(): void {
    this.matrices?.forget();
  }

  dispose(): void {
    this.matrices?.dispose();
  }

  private canDraw({ width, height }: HTMLCanvasElement): boolean {
    return !this.isLost() && width > 0 && height > 0;
  }
}
