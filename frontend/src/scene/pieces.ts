/** What is drawn of the plates in a frame: every face in view, cut into pieces that one tile of numbers fills. Where
 *  the right tile is not here yet, finer ones or a coarser one stand in for it, so there is never a hole; pieces of a
 *  plate never overlap. */

import type { Plate } from "../layout/types";
import { Look } from "./plate_material";
import type { PlateMesh } from "./plate_mesh";
import { type Held, LEVELS } from "./pool";
import { type Part, partOf, walk } from "./pyramid";
import type { Sheet, Window } from "./sheets";
import { LAYER_SIZE } from "./slots";
import { roles } from "./themes";
import type { Viewer, Visibility } from "./visibility";

/** Plates thinner than this, in pixels, are left out; walls thinner than that too. */
const THINNEST = 0.2;
const THINNEST_WALL = 0.7;

/** Where pieces find their numbers. */
export interface Tiles {
  /** Number of the frame now drawn. */
  readonly frame: number;
  /** Tiles with nothing in them, and with zeros. */
  readonly absent: Held;
  readonly zero: Held;
  tile(sheet: Sheet, level: number, row: number, column: number): Held | null;
}

export class PieceList {
  /** Pixels that a cell on a front has at least; 0 where something coarser stands in for cells. */
  smallest = 0;
  private window: Window | null = null;
  private number = 0;
  private dim = 0;

  constructor(
    private readonly mesh: PlateMesh,
    private readonly values: Tiles,
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
    this.smallest = Number.POSITIVE_INFINITY;
    this.mesh.pieces.begin();
    for (const number of visibility.order) {
      const window = windows[number] as Window;
      const { x, y, z, columns, rows } = window.plate;
      const pixels = viewer.focal / Math.max(1, viewer.distance(x, y, z, columns, rows));
      if (Math.min(columns, rows) * pixels < THINNEST) continue;
      this.window = window;
      this.number = number;
      this.dim = dims.get(number) ?? 0;
      if (viewer.eye[2] > z) {
        this.smallest = Math.min(this.smallest, viewer.leastPixels(x, y, z, columns, rows));
        walk(window, viewer, this.show);
      }
      if (pixels > THINNEST_WALL) this.walls(window.plate);
    }
  }

  /** Lists one plate alone, straight on. */
  listOne(number: number, window: Window, viewer: Viewer): void {
    this.viewer = viewer;
    this.smallest = viewer.focal;
    this.mesh.pieces.begin();
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
    if (!held) {
      this.absent(plate, part);
      return;
    }
    held.seen = this.values.frame;
    if (level > 0) this.smallest = 0;
    const perTexel = 1 / (part.pixels * 2 ** level);
    const mip = Math.min(LEVELS - 1, Math.max(0, Math.round(Math.log2(perTexel) - 0.1)));
    const shrink = 2 ** -mip;
    const perCell = 2 ** -(level + mip);
    // Texels of the mipmap are counted from the layer's first: the tile's place in it, less the cells before the tile.
    const x = (held.slot.x - column * LAYER_SIZE) * shrink;
    const y = (held.slot.y - row * LAYER_SIZE) * shrink;
    const left = x + part.left * perCell;
    const top = y + part.top * perCell;
    const right = x + part.right * perCell;
    const bottom = y + part.bottom * perCell;
    const first = packed(Math.floor(left) + 0.5, Math.floor(top) + 0.5);
    const last = packed(Math.ceil(right) - 0.5, Math.ceil(bottom) - 0.5);
    let at = this.begin(
      plate,
      Look.front + (level === 0 ? Look.exact : 0),
      held.slot.layer + 4096 * mip,
      first,
      last,
    );
    const { data, stride } = this.mesh.pieces;
    for (let corner = 0; corner < 4; corner++, at += stride) {
      const across = corner >> 1;
      const down = ((corner + 1) >> 1) & 1;
      this.corner(at, plate, part.x + across * part.width, part.y + down * part.height, 0);
      data[at + 5] = (transposed ? down : across) === 1 ? right : left;
      data[at + 6] = (transposed ? across : down) === 1 ? bottom : top;
    }
  }

  /** A piece of the front whose numbers are not here. */
  private absent(plate: Plate, part: Part): void {
    let at = this.even(plate, Look.front, this.values.absent);
    const { stride } = this.mesh.pieces;
    for (let corner = 0; corner < 4; corner++, at += stride)
      this.corner(
        at,
        plate,
        part.x + (corner >> 1) * part.width,
        part.y + (((corner + 1) >> 1) & 1) * part.height,
        0,
      );
  }

  /** The two sides of the box that face the eye, where they are thick enough to be seen. */
  private walls(plate: Plate): void {
    const [ex, ey] = this.viewer.eye;
    const { x, y, columns, rows } = plate;
    if (ex < x) this.wall(plate, Look.side, 0);
    else if (ex > x + columns) this.wall(plate, Look.side, columns);
    if (ey > -y) this.wall(plate, Look.end, 0);
    else if (ey < -y - rows) this.wall(plate, Look.end, rows);
  }

  /** The side at this column, or the upper or lower end at this row. Within it, cells are counted as on the front, so
   *  that its outline is as wide. */
  private wall(plate: Plate, face: number, place: number): void {
    let at = this.even(plate, face, this.values.zero);
    const { data, stride } = this.mesh.pieces;
    for (let corner = 0; corner < 4; corner++, at += stride) {
      const across = corner >> 1;
      const down = ((corner + 1) >> 1) & 1;
      if (face === Look.side) this.corner(at, plate, place, down * plate.rows, across - 1);
      else this.corner(at, plate, across * plate.columns, place, down - 1);
      data[at + 3] = across * plate.columns;
      data[at + 4] = down * plate.rows;
    }
  }

  /** A piece of the colour of the middle of a tile of 8 x 8. */
  private even(plate: Plate, face: number, { slot }: Held): number {
    const [x, y] = [slot.x + 4, slot.y + 4];
    const first = this.begin(plate, face, slot.layer, packed(x, y), packed(x, y));
    const { data, stride } = this.mesh.pieces;
    for (let at = first; at < first + 4 * stride; at += stride) {
      data[at + 5] = x;
      data[at + 6] = y;
    }
    return first;
  }

  /** The numbers that the four vertices of a piece have in common; where the first of them begins. */
  private begin(plate: Plate, face: number, source: number, first: number, last: number): number {
    const { pieces } = this.mesh;
    const start = pieces.next();
    const { data, stride } = pieces;
    const look = face + Look.role * roles.indexOf(plate.role) + Look.dim * Math.round(this.dim * 255);
    for (let at = start; at < start + 4 * stride; at += stride) {
      data[at + 7] = first;
      data[at + 8] = last;
      data[at + 9] = plate.columns;
      data[at + 10] = plate.rows;
      data[at + 11] = look;
      data[at + 12] = source;
      data[at + 13] = this.number;
    }
    return start;
  }

  /** A vertex at a cell of a plate, `z` before its front. */
  private corner(at: number, plate: Plate, column: number, row: number, z: number): void {
    const { data } = this.mesh.pieces;
    const { eye } = this.viewer;
    data[at] = plate.x + column - eye[0];
    data[at + 1] = -plate.y - row - eye[1];
    data[at + 2] = plate.z + z - eye[2];
    data[at + 3] = column;
    data[at + 4] = row;
  }
}

/** Two places in texels, each a multiple of a half, in one number that a float holds exactly. */
function packed(x: number, y: number): number {
  return 2 * x + Look.packed * 2 * y;
}
