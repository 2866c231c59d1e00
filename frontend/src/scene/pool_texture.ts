/** The graphics card's copy of the pool, and of the table that says where each tile lies in it.
 *
 *  three.js uploads whole layers; generation changes one row of each. So these two textures are made and filled by
 *  hand, and handed to three.js as external ones.
 */

import { ExternalTexture, type WebGLRenderer } from "three";
import { LEVELS, type Pool } from "./pool";
import { LAYER_SIZE } from "./slots";

/** Entries of the tile table in one row of its texture. */
export const TABLE_WIDTH = 1024;

/** A tile's place as one number: bit 31 set, then the layer, and x and y in steps of 8. Zero: not held. */
export function tableEntry(layer: number, x: number, y: number): number {
  return (0x80000000 | (layer << 10) | ((x >> 3) << 5) | (y >> 3)) >>> 0;
}

export class PoolTexture {
  readonly values = new ExternalTexture();
  readonly table = new ExternalTexture();
  private depth = 0;
  private tableRows = 0;
  private readonly gl: WebGL2RenderingContext;

  constructor(private readonly renderer: WebGLRenderer) {
    this.gl = renderer.getContext() as WebGL2RenderingContext;
  }

  get bytes(): number {
    return (
      this.depth * 2 * LAYER_SIZE ** 2 * (1 + 1 / 4 + 1 / 16 + 1 / 64) + this.tableRows * TABLE_WIDTH * 4
    );
  }

  get layers(): number {
    return this.depth;
  }

  /** Uploads what changed, first growing the texture if the pool has grown. */
  update(pool: Pool): void {
    const { gl } = this;
    if (pool.layers.length > this.depth || !this.values.sourceTexture) {
      this.reserve(Math.min(pool.maximumLayers, Math.max(4, Math.ceil(pool.layers.length * 1.25))));
      pool.touchAll();
    }
    const changed = pool.takeDirty();
    if (changed.length === 0) return;
    this.bind(gl.TEXTURE_2D_ARRAY, this.values.sourceTexture as WebGLTexture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
    for (const { index, layer, area } of changed) {
      for (let level = 0; level < LEVELS; level++) {
        const x = area.left >> level;
        const y = area.top >> level;
        const width = ((area.right - 1) >> level) - x + 1;
        const height = ((area.bottom - 1) >> level) - y + 1;
        const size = LAYER_SIZE >> level;
        gl.pixelStorei(gl.UNPACK_ROW_LENGTH, size);
        const values = layer.levels[level] as Uint16Array<ArrayBuffer>;
        gl.texSubImage3D(
          gl.TEXTURE_2D_ARRAY,
          level,
          x,
          y,
          index,
          width,
          height,
          1,
          gl.RED,
          gl.HALF_FLOAT,
          values,
          y * size + x,
        );
      }
    }
    this.unbind(gl.TEXTURE_2D_ARRAY);
  }

  /** Uploads the whole tile table. */
  setTable(entries: Uint32Array): void {
    const { gl } = this;
    const rows = Math.max(1, Math.ceil(entries.length / TABLE_WIDTH));
    if (rows !== this.tableRows || !this.table.sourceTexture) {
      if (this.table.sourceTexture) gl.deleteTexture(this.table.sourceTexture as WebGLTexture);
      this.table.sourceTexture = this.make(gl.TEXTURE_2D);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R32UI, TABLE_WIDTH, rows);
      this.tableRows = rows;
    } else this.bind(gl.TEXTURE_2D, this.table.sourceTexture as WebGLTexture);
    const padded = new Uint32Array(rows * TABLE_WIDTH);
    padded.set(entries);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, TABLE_WIDTH, rows, gl.RED_INTEGER, gl.UNSIGNED_INT, padded);
    this.unbind(gl.TEXTURE_2D);
  }

  /** After the context was lost and came back: nothing of the old textures is left. */
  forget(): void {
    this.values.sourceTexture = null;
    this.table.sourceTexture = null;
    this.depth = 0;
    this.tableRows = 0;
  }

  dispose(): void {
    if (this.values.sourceTexture) this.gl.deleteTexture(this.values.sourceTexture as WebGLTexture);
    if (this.table.sourceTexture) this.gl.deleteTexture(this.table.sourceTexture as WebGLTexture);
    this.forget();
  }

  private reserve(depth: number): void {
    const { gl } = this;
    if (this.values.sourceTexture) gl.deleteTexture(this.values.sourceTexture as WebGLTexture);
    this.values.sourceTexture = this.make(gl.TEXTURE_2D_ARRAY);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, LEVELS, gl.R16F, LAYER_SIZE, LAYER_SIZE, depth);
    this.depth = depth;
    this.unbind(gl.TEXTURE_2D_ARRAY);
  }

  private make(target: GLenum): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture() as WebGLTexture;
    this.bind(target, texture);
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST_MIPMAP_NEAREST);
    if (target === gl.TEXTURE_2D) gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }

  private bind(target: GLenum, texture: WebGLTexture): void {
    const { gl } = this;
    this.renderer.state.activeTexture(gl.TEXTURE0);
    this.renderer.state.bindTexture(target, texture);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
  }

  private unbind(target: GLenum): void {
    const { gl } = this;
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    this.renderer.state.bindTexture(target, null as unknown as WebGLTexture);
  }
}
