/** The graphics card's copy of the pool: the tiles' colours, as shares (encode.ts).
 *
 *  three.js uploads whole layers; generation changes one row of each. So this texture is made and filled by hand, and
 *  handed to three.js as an external one.
 */

import { ExternalTexture, type WebGLRenderer } from "three";
import { Encoder } from "./encode";
import { type Dirty, LAYER_BYTES, type Layer, LEVELS, type Pool } from "./pool";
import { LAYER_SIZE } from "./slots";

export class PoolTexture {
  readonly values = new ExternalTexture();
  private depth = 0;
  private readonly encoder = new Encoder();
  private readonly scratch = new Uint32Array(LAYER_SIZE ** 2);
  private readonly bytesOfScratch = new Uint8Array(this.scratch.buffer);
  private readonly gl: WebGL2RenderingContext;

  constructor(private readonly renderer: WebGLRenderer) {
    this.gl = renderer.getContext() as WebGL2RenderingContext;
  }

  get bytes(): number {
    return this.depth * LAYER_BYTES;
  }

  get layers(): number {
    return this.depth;
  }

  /** Uploads what changed, first growing the texture if the pool has grown. */
  update(pool: Pool): void {
    const { gl } = this;
    if (pool.layers.length > this.depth || !this.values.sourceTexture) {
      // To grow is to send everything again: half as much again each time.
      const room = Math.max(4, this.depth);
      this.reserve(
        Math.min(
          pool.maximumLayers,
          pool.layers.length > room ? Math.max(Math.ceil(1.5 * room), pool.layers.length) : room,
        ),
      );
      pool.touchAll();
    }
    const changed = pool.takeDirty();
    if (changed.length === 0) return;
    this.bind(gl.TEXTURE_2D_ARRAY, this.values.sourceTexture as WebGLTexture);
    for (const { index, layer, area } of changed) this.upload(index, layer, area);
    this.unbind(gl.TEXTURE_2D_ARRAY);
  }

  /** Encodes and uploads a rectangle of a layer, at every level. */
  private upload(index: number, layer: Layer, area: Dirty): void {
    const { gl } = this;
    for (let level = 0; level < LEVELS; level++) {
      const left = area.left >> level;
      const top = area.top >> level;
      const width = ((area.right - 1) >> level) - left + 1;
      const height = ((area.bottom - 1) >> level) - top + 1;
      this.encodeLevel(layer, level, { left, top, right: left + width, bottom: top + height });
      gl.texSubImage3D(
        gl.TEXTURE_2D_ARRAY,
        level,
        left,
        top,
        index,
        width,
        height,
        1,
        gl.RGBA,
        gl.UNSIGNED_BYTE,
        this.bytesOfScratch,
        0,
      );
    }
  }

  /** Fills the scratch with a rectangle of a level: each tile on it under its own scale. */
  private encodeLevel(layer: Layer, level: number, area: Dirty): void {
    const size = LAYER_SIZE >> level;
    const source = layer.levels[level] as Uint16Array;
    const stride = area.right - area.left;
    for (const { slot, width, height, inverse } of layer.tiles) {
      const left = Math.max(area.left, slot.x >> level);
      const top = Math.max(area.top, slot.y >> level);
      const right = Math.min(area.right, (slot.x + width + (1 << level) - 1) >> level);
      const bottom = Math.min(area.bottom, (slot.y + height + (1 << level) - 1) >> level);
      if (right <= left || bottom <= top) continue;
      this.encoder.encode(
        source,
        { start: top * size + left, stride: size },
        this.scratch,
        { start: (top - area.top) * stride + left - area.left, stride },
        { width: right - left, height: bottom - top },
        inverse,
      );
    }
  }

  /** After the context was lost and came back: nothing of the old textures is left. */
  forget(): void {
    this.values.sourceTexture = null;
    this.depth = 0;
  }

  dispose(): void {
    if (this.values.sourceTexture) this.gl.deleteTexture(this.values.sourceTexture as WebGLTexture);
    this.forget();
  }

  private reserve(depth: number): void {
    const { gl } = this;
    if (this.values.sourceTexture) gl.deleteTexture(this.values.sourceTexture as WebGLTexture);
    this.values.sourceTexture = this.make(gl.TEXTURE_2D_ARRAY);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, LEVELS, gl.RGBA8, LAYER_SIZE, LAYER_SIZE, depth);
    this.depth = depth;
    this.unbind(gl.TEXTURE_2D_ARRAY);
  }

  private make(target: GLenum): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture() as WebGLTexture;
    this.bind(target, texture);
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
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
