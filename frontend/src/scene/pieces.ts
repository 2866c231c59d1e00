/** What is drawn of the plates in a frame: every face in view, cut into pieces that one tile of numbers fills. Where
 *  the right tile is not here yet, finer ones or a coarser one stand in for it, so there is never a hole; pieces of a
 *  plate never overlap. */

import type { Plate } from "../layout/types";
import type { PlateMesh } from "./plate_mesh";
import { type Held, LEVELS } from "./pool";
import { type Part, partOf, walk } from "./pyramid";
import type { Window } from "./sheets";
import { LAYER_SIZE } from "./slots";
import { roles } from "./themes";
import type { Values } from "./values";
import type { Viewer, Visibility } from "./visibility";

/** Plates thinner than this, in pixels, are left out; walls thinner than that too. */
const THINNEST = 0.2;
const THINNEST_WALL = 0.7;

export class PieceList {
  private window: Window | null = null;
  private number = 0;
  private dim = 0;

  constructor(
    private readonly mesh: PlateMesh,
    private readonly values: Values,
    private viewer: Viewer,
  ) {}

  /** Lists the pieces of all plates in view; `dims` says how far each is mixed toward the paper. */
  list(
    windows: readonly Window[],
    visibility: Visibility,
    viewer: Viewer,
    dims: ReadonlyMap<number, number>,
  ): void {
    this.viewer = viewer;
    this.mesh.begin();
    for (const number of visibility.order) {
      const window = windows[number] as Window;
      const { x, y, z, columns, rows } = window.plate;
      const pixels = viewer.focal / Math.max(1, viewer.distance(x, y, z, columns, rows));
      if (Math.min(columns, rows) * pixels < THINNEST) continue;
      this.window = window;
      this.number = number;
      this.dim = dims.get(number) ?? 0;
      if (viewer.eye[2] > z) walk(window, viewer, this.show);
      if (pixels > THINNEST_WALL) this.walls(window.plate);
    }
  }

  /** Lists one plate alone, straight on. */
  listOne(number: number, window: Window, viewer: Viewer): void {
    this.viewer = viewer;
    this.mesh.begin();
    this.window = window;
    this.number = number;
    this.dim = 0;
    walk(window, viewer, this.show);
  }

  private readonly show = (level: number, row: number, column: number, part: Part): void => {
    const window = this.window as Window;
    const held = this.values.tile(window.sheet, level, row, column);
    if (held) this.emit(part, held, level, row, column);
    else if (this.anyFiner(window, level, row, column)) this.showFiner(window, level, row, column, part);
    else this.showCoarser(window, level, row, column, part);
  };

  private anyFiner({ sheet }: Window, level: number, row: number, column: number): boolean {
    if (level === 0) return false;
    for (let i = 0; i < 4; i++)
      if (this.values.tile(sheet, level - 1, row * 2 + (i >> 1), column * 2 + (i & 1))) return true;
    return false;
  }

  private showFiner(window: Window, level: number, row: number, column: number, whole: Part): void {
    for (let i = 0; i < 4; i++) {
      const [down, right] = [row * 2 + (i >> 1), column * 2 + (i & 1)];
      const part = { ...whole };
      if (!partOf(window, level - 1, down, right, part)) continue;
      const held = this.values.tile(window.sheet, level - 1, down, right);
      if (held) this.emit(part, held, level - 1, down, right);
      else this.showCoarser(window, level, row, column, part);
    }
  }

  private showCoarser(window: Window, level: number, row: number, column: number, part: Part): void {
    for (let up = 1; level + up < window.sheet.levels.length; up++) {
      const held = this.values.tile(window.sheet, level + up, row >> up, column >> up);
      if (held) {
        this.emit(part, held, level + up, row >> up, column >> up);
        return;
      }
    }
    this.emit(part, null, 0, 0, 0);
  }

  /** A piece of the front, filled by a tile; null: not here. */
  private emit(part: Part, held: Held | null, level: number, row: number, column: number): void {
    const { plate, transposed } = this.window as Window;
    const { data, at } = this.begin(plate, part.x, part.y, 0, 0, part.width, part.height);
    if (!held) {
      fillEvenly(data, at, this.values.absent);
      return;
    }
    held.seen = this.values.frame;
    const perTexel = 1 / (part.pixels * 2 ** level);
    const mip = Math.min(LEVELS - 1, Math.max(0, Math.round(Math.log2(perTexel) - 0.1)));
    const shrink = 2 ** -mip;
    const perCell = 2 ** -(level + mip);
    // The tile's first texel, counted from the sheet's first cell, and where it lies in the layer.
    const [x, y] = [held.slot.x * shrink, held.slot.y * shrink];
    const left = part.left * perCell - column * LAYER_SIZE * shrink;
    const top = part.top * perCell - row * LAYER_SIZE * shrink;
    const right = part.right * perCell - column * LAYER_SIZE * shrink;
    const bottom = part.bottom * perCell - row * LAYER_SIZE * shrink;
    data[at + 12] = x + left;
    data[at + 13] = y + top;
    data[at + 14] = transposed ? -perCell : perCell;
    data[at + 15] = held.slot.layer + 4096 * mip;
    data[at + 16] = x + Math.floor(left) + 0.5;
    data[at + 17] = y + Math.floor(top) + 0.5;
    data[at + 18] = x + Math.ceil(right) - 0.5;
    data[at + 19] = y + Math.ceil(bottom) - 0.5;
  }

  /** The two sides of the box that face the eye, where they are thick enough to be seen. */
  private walls(plate: Plate): void {
    const [ex, ey] = this.viewer.eye;
    const { x, y, columns, rows } = plate;
    if (ex < x) this.wall(plate, 0, 0, 1);
    else if (ex > x + columns) this.wall(plate, columns, 0, 1);
    if (ey > -y) this.wall(plate, 0, 0, 2);
    else if (ey < -y - rows) this.wall(plate, 0, rows, 2);
  }

  private wall(plate: Plate, x: number, y: number, face: 1 | 2): void {
    const { data, at } = this.begin(plate, x, y, 0, face, plate.columns, plate.rows);
    fillEvenly(data, at, this.values.zero);
  }

  private begin(
    plate: Plate,
    x: number,
    y: number,
    z: number,
    face: 0 | 1 | 2,
    width: number,
    height: number,
  ): { readonly data: Float32Array; readonly at: number } {
    const { data, at } = this.mesh.next();
    const [ex, ey, ez] = this.viewer.eye;
    data[at] = plate.x + x - ex;
    data[at + 1] = -plate.y - y - ey;
    data[at + 2] = plate.z + z - ez;
    data[at + 3] = face + 4 * roles.indexOf(plate.role);
    data[at + 4] = width;
    data[at + 5] = height;
    data[at + 6] = this.dim;
    data[at + 7] = this.number;
    data[at + 8] = x;
    data[at + 9] = y;
    data[at + 10] = plate.columns;
    data[at + 11] = plate.rows;
    return { data, at };
  }
}

/** A piece that has the same colour everywhere: that of the middle of a tile of 8 x 8. */
function fillEvenly(data: Float32Array, at: number, { slot }: Held): void {
  const [x, y] = [slot.x + 4, slot.y + 4];
  data.set([x, y, 1e-6, slot.layer, x, y, x, y], at + 12);
}
