/** A matrix that need not lie on the map, drawn by the map's own shader into a canvas of the page: the same colours,
 *  grid and discs at the same sizes. Its numbers are put into a small pool of their own for as long as the drawing
 *  takes, so that the map's stay where they are. */

import type { WebGLRenderer } from "three";
import type { Plate } from "../../layout/types";
import type { MatrixDrawing } from "../types";
import { farPlates } from "../values/lod-colour";
import { type Held, LAYER_BYTES, Pool } from "../values/pool";
import { PoolTexture } from "../values/pool-texture";
import { LAYER_SIZE } from "../values/slots";
import { PieceList, type Tiles } from "./draw-list";
import { photograph, Straight, type Studio } from "./plate-drawing";
import type { Sheet, SheetLevel, Window } from "./sheets";

/** Enough for 2,048 x 2,048 numbers, more than a window has pixels. */
const LAYERS = 66;

export class MatrixDrawer implements Tiles {
  readonly frame = 0;
  readonly far = farPlates([]);
  readonly slots = new Int32Array(0);
  readonly absent: Held;
  readonly zero: Held;
  private readonly pool = new Pool(LAYERS);
  private readonly texture: PoolTexture;
  private held: Held[] = [];
  private across = 0;

  constructor(renderer: WebGLRenderer) {
    this.texture = new PoolTexture(renderer);
    this.absent = this.pool.hold(8, 8) as Held;
    this.zero = this.absent;
  }

  get bytes(): number {
    return this.texture.layers * LAYER_BYTES;
  }

  tile(_sheet: Sheet, _level: number, row: number, column: number): Held | null {
    return this.held[row * this.across + column] ?? null;
  }

  draw(target: HTMLCanvasElement, studio: Studio, matrix: MatrixDrawing): void {
    this.hold(matrix);
    this.texture.update(this.pool);
    const { uniforms } = studio.plates.materials;
    const ofMap = uniforms.pool!.value;
    uniforms.pool!.value = this.texture.values;
    const window = windowOf(matrix);
    const viewer = new Straight(window.plate, matrix.size);
    new PieceList(studio.plates, this, viewer).listOne(0, window, viewer);
    photograph(target, studio, matrix);
    uniforms.pool!.value = ofMap;
    for (const held of this.held) this.pool.release(held);
    this.held = [];
  }

  forget(): void {
    this.texture.forget();
  }

  dispose(): void {
    this.texture.dispose();
  }

  private hold({ rows, columns, values, full }: MatrixDrawing): void {
    this.across = Math.ceil(columns / LAYER_SIZE);
    for (let top = 0; top < rows; top += LAYER_SIZE)
      for (let left = 0; left < columns; left += LAYER_SIZE) {
        const [right, bottom] = [Math.min(LAYER_SIZE, columns - left), Math.min(LAYER_SIZE, rows - top)];
        const held = this.pool.hold(right, bottom, full > 0 ? 1 / full : 1);
        if (!held) throw new RangeError(`${rows} x ${columns} numbers are more than are drawn at once`);
        const cut = { start: top * columns + left, stride: columns, step: 1 };
        this.pool.write(held, { left: 0, top: 0, right, bottom }, values, cut, 1);
        this.held.push(held);
      }
  }
}

/** The matrix as a plate at the origin, and all of it as its window. */
function windowOf({ rows, columns, role }: MatrixDrawing): Window {
  const level: SheetLevel = {
    rows,
    columns,
    tilesDown: Math.ceil(rows / LAYER_SIZE),
    tilesAcross: Math.ceil(columns / LAYER_SIZE),
    firstTile: 0,
  };
  const sheet: Sheet = {
    key: "matrix",
    source: "",
    weight: false,
    fixed: [null, null],
    rowAxis: 0,
    columnAxis: 1,
    rows,
    columns,
    kind: "",
    levels: [level],
    streamed: true,
  };
  const plate: Plate = {
    id: -1,
    tensor: "",
    source: "",
    role,
    kind: "",
    layer: null,
    rowAxis: 0,
    columnAxis: 1,
    origin: [0, 0],
    rows,
    columns,
    x: 0,
    y: 0,
    z: 0,
    label: "",
    importance: 0,
  };
  return { plate, sheet, row: 0, column: 0, transposed: false };
}
