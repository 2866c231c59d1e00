/** What is drawn of the plates in a frame: every face in view, cut into pieces that one tile of numbers fills. Where
 *  the right tile is not here yet, finer ones or a coarser one stand in for it, so there is never a hole; pieces of a
 *  plate never overlap. */

import { roles } from "../themes";
import { type FarPlates, TURNED } from "../values/lod-colour";
import { type Held, LEVELS } from "../values/pool";
import { type Part, partOf, refines, walk } from "../values/pyramid";
import { LAYER_SIZE } from "../values/slots";
import { BOX, boxesOf } from "./boxes";
import { DISC_FROM, Look } from "./plate-material";
import type { PlateMesh } from "./plate-mesh";
import type { Sheet, Window } from "./sheets";
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
  /** Of every plate what it is drawn with from afar, and of every tile where it lies (lod-colour.ts). */
  readonly far: FarPlates;
  readonly slots: Int32Array;
}

export class PieceList {
  /** Pixels that a cell on a front has at least; 0 where something coarser stands in for cells. */
  smallest = 0;
  /** Pieces of weights that found no number at all. */
  missing = 0;
  private window: Window | null = null;
  private readonly part = { x: 0, y: 0, width: 0, height: 0 };
  // The plate that pieces are listed of: where its corner is from the eye, and its size.
  private x = 0;
  private y = 0;
  private z = 0;
  private columns = 0;
  private rows = 0;
  // What all four vertices of the next piece have (plate-material.ts says what it is).
  private number = 0;
  private ofPlate = 0;
  private look = 0;
  private source = 0;
  private first = 0;
  private last = 0;

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
    this.begin(viewer, visibility.largest > DISC_FROM ? Number.POSITIVE_INFINITY : 0);
    const boxes = boxesOf(windows);
    const { far } = this.values;
    for (const number of visibility.order) {
      const box = number * BOX;
      const x = boxes[box] as number;
      const y = boxes[box + 1] as number;
      const z = boxes[box + 2] as number;
      const columns = boxes[box + 3] as number;
      const rows = boxes[box + 4] as number;
      const pixels = viewer.focal / Math.max(1, viewer.distance(x, y, z, columns, rows));
      if (Math.min(columns, rows) * pixels < THINNEST) continue;
      const dim = dims.size > 0 ? (dims.get(number) ?? 0) : 0;
      this.turnTo(number, boxes, box, (far.kind[number] as number) % TURNED, dim);
      if (viewer.eye[2] > z) {
        if (this.smallest > 0)
          this.smallest = Math.min(this.smallest, viewer.leastPixels(x, y, z, columns, rows));
        if (!this.showFar(number, pixels)) {
          this.window = windows[number] as Window;
          walk(this.window, viewer, this.show);
        }
      }
      if (pixels > THINNEST_WALL) this.walls(x, y);
    }
  }

  /** Lists one plate alone, straight on. */
  listOne(number: number, window: Window, viewer: Viewer): void {
    this.begin(viewer, viewer.focal);
    this.window = window;
    this.turnTo(number, boxesOf([window]), 0, roles.indexOf(window.plate.role), 0);
    walk(window, viewer, this.show);
  }

  private begin(viewer: Viewer, smallest: number): void {
    this.viewer = viewer;
    this.smallest = smallest;
    this.missing = 0;
    this.mesh.pieces.begin();
  }

  /** The pieces that follow are of this plate. */
  private turnTo(number: number, boxes: Float64Array, box: number, role: number, dim: number): void {
    const { eye } = this.viewer;
    this.number = number;
    this.x = (boxes[box] as number) - eye[0];
    this.y = -(boxes[box + 1] as number) - eye[1];
    this.z = (boxes[box + 2] as number) - eye[2];
    this.columns = boxes[box + 3] as number;
    this.rows = boxes[box + 4] as number;
    this.ofPlate = Look.role * role + Look.dim * Math.round(dim * 255);
  }

  /** Lists the front of a plate that its coarsest tile is enough for; false where it is not, or is not here. */
  private showFar(number: number, pixels: number): boolean {
    const { far, slots } = this.values;
    const tile = far.tile[number] as number;
    const level = far.level[number] as number;
    const slot = tile < 0 ? -1 : (slots[tile] as number);
    const { part, columns, rows } = this;
    if (slot < 0 || (level > 0 && refines(Math.max(columns, rows), pixels, level))) return false;
    if (level > 0) this.smallest = 0;
    const transposed = (far.kind[number] as number) >= TURNED;
    const mip = mipmapFor(pixels * (1 << level));
    const perCell = 1 / (1 << (level + mip));
    const left = (slot & 255) / (1 << mip) + (far.column[number] as number) * perCell;
    const top = ((slot >> 8) & 255) / (1 << mip) + (far.row[number] as number) * perCell;
    const right = left + (transposed ? rows : columns) * perCell;
    const bottom = top + (transposed ? columns : rows) * perCell;
    part.width = columns;
    part.height = rows;
    this.fill(slot >> 16, level, mip, left, top, right, bottom);
    this.front(part, transposed, left, top, right, bottom);
    return true;
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
    const { transposed } = this.window as Window;
    if (!held) {
      if ((this.window as Window).sheet.weight) this.missing++;
      const { x, y } = this.even(Look.front, this.values.absent);
      this.front(part, false, x, y, x, y);
      return;
    }
    held.seen = this.values.frame;
    if (level > 0) this.smallest = 0;
    const mip = mipmapFor(part.pixels * (1 << level));
    const shrink = 1 / (1 << mip);
    const perCell = shrink / (1 << level);
    // Texels of the mipmap are counted from the layer's first: the tile's place in it, less the cells before the tile.
    const x = (held.slot.x - column * LAYER_SIZE) * shrink;
    const y = (held.slot.y - row * LAYER_SIZE) * shrink;
    const left = x + part.left * perCell;
    const top = y + part.top * perCell;
    const right = x + part.right * perCell;
    const bottom = y + part.bottom * perCell;
    this.fill(held.slot.layer, level, mip, left, top, right, bottom);
    this.front(part, transposed, left, top, right, bottom);
  }

  /** The next piece is filled from here: a layer, the level of its tile, a mipmap, and the texels at its corners. */
  private fill(
    layer: number,
    level: number,
    mip: number,
    left: number,
    top: number,
    right: number,
    bottom: number,
  ): void {
    this.look = Look.front + (level === 0 ? Look.exact : 0);
    this.source = layer + 4096 * mip;
    this.first = packed(Math.floor(left) + 0.5, Math.floor(top) + 0.5);
    this.last = packed(Math.ceil(right) - 0.5, Math.ceil(bottom) - 0.5);
  }

  /** Four vertices of the front, and the texels at its corners. */
  private front(
    { x, y, width, height }: Pick<Part, "x" | "y" | "width" | "height">,
    transposed: boolean,
    left: number,
    top: number,
    right: number,
    bottom: number,
  ): void {
    const at = this.mesh.pieces.next();
    const { stride } = this.mesh.pieces;
    this.vertex(at, x, y, 0, x, y, left, top);
    if (transposed) this.vertex(at + stride, x, y + height, 0, x, y + height, right, top);
    else this.vertex(at + stride, x, y + height, 0, x, y + height, left, bottom);
    this.vertex(at + 2 * stride, x + width, y + height, 0, x + width, y + height, right, bottom);
    if (transposed) this.vertex(at + 3 * stride, x + width, y, 0, x + width, y, left, bottom);
    else this.vertex(at + 3 * stride, x + width, y, 0, x + width, y, right, top);
  }

  /** The two sides of the box that face the eye, where they are thick enough to be seen. */
  private walls(x: number, y: number): void {
    const { viewer, columns, rows } = this;
    if (viewer.eye[0] < x) this.wall(Look.side, 0);
    else if (viewer.eye[0] > x + columns) this.wall(Look.side, columns);
    if (viewer.eye[1] > -y) this.wall(Look.end, 0);
    else if (viewer.eye[1] < -y - rows) this.wall(Look.end, rows);
  }

  /** The side at this column, or the upper or lower end at this row. Within it, cells are counted as on the front, so
   *  that its outline is as wide. */
  private wall(face: number, place: number): void {
    const { columns, rows } = this;
    const { x, y } = this.even(face, this.values.zero);
    const first = this.mesh.pieces.next();
    for (let corner = 0; corner < 4; corner++) {
      const at = first + corner * this.mesh.pieces.stride;
      const across = corner >> 1;
      const down = ((corner + 1) >> 1) & 1;
      const [right, lower] = [across * columns, down * rows];
      if (face === Look.side) this.vertex(at, place, lower, across - 1, right, lower, x, y);
      else this.vertex(at, right, place, down - 1, right, lower, x, y);
    }
  }

  /** The next piece has the colour of the middle of a tile of 8 x 8: there. */
  private even(face: number, { slot }: Held): { x: number; y: number } {
    const [x, y] = [slot.x + 4, slot.y + 4];
    this.look = face;
    this.source = slot.layer;
    this.first = packed(x, y);
    this.last = this.first;
    return { x, y };
  }

  /** A vertex at a column and row of the plate, `z` before its front; which cell and which texel are there. */
  private vertex(
    at: number,
    column: number,
    row: number,
    z: number,
    cellColumn: number,
    cellRow: number,
    texelX: number,
    texelY: number,
  ): void {
    const { data } = this.mesh.pieces;
    data[at] = this.x + column;
    data[at + 1] = this.y - row;
    data[at + 2] = this.z + z;
    data[at + 3] = cellColumn;
    data[at + 4] = cellRow;
    data[at + 5] = texelX;
    data[at + 6] = texelY;
    data[at + 7] = this.first;
    data[at + 8] = this.last;
    data[at + 9] = this.columns;
    data[at + 10] = this.rows;
    data[at + 11] = this.look + this.ofPlate;
    data[at + 12] = this.source;
    data[at + 13] = this.number;
  }
}

/** The copy of a tile, pooled 2, 4 or 8 texels a side, whose texels are about a pixel when its own are so large. */
function mipmapFor(pixels: number): number {
  if (pixels > 0.66) return 0;
  return Math.min(LEVELS - 1, Math.max(0, Math.round(-Math.log2(pixels) - 0.1)));
}

/** Two places in texels, each a multiple of a half, in one number that a float holds exactly. */
function packed(x: number, y: number): number {
  return 2 * x + Look.packed * 2 * y;
}
