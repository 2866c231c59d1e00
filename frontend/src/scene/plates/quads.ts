/** Many rectangles in one draw call: four vertices each, listed anew for every frame.
 *
 *  They are not instances of one rectangle, which would need a quarter of the memory: a software renderer sets up every
 *  instance as a draw of its own, which took it 25 microseconds each, more than drawing what was on it. Vertices of one
 *  draw cost it next to nothing. Which corner a vertex is follows from its number (`CORNER`).
 */

import {
  BufferAttribute,
  BufferGeometry,
  DynamicDrawUsage,
  InterleavedBuffer,
  InterleavedBufferAttribute,
} from "three";

/** For vertex shaders: the corner of the rectangle, (0, 0), (0, 1), (1, 1) or (1, 0). */
export const CORNER = /* glsl */ `
vec2 cornerOf(int vertex) { return vec2(float((vertex >> 1) & 1), float(((vertex + 1) >> 1) & 1)); }`;

export class Quads {
  readonly geometry = new BufferGeometry();
  /** Numbers a vertex. */
  readonly stride: number;
  /** The vertices' numbers, one after the other. */
  data = new Float32Array(0);
  /** Rectangles listed. */
  count = 0;
  private room = 0;
  private buffer: InterleavedBuffer | null = null;

  /** Of each attribute of a vertex, how many numbers it has; in this order they are in `data`. */
  constructor(private readonly attributes: Readonly<Record<string, number>>) {
    this.stride = Object.values(attributes).reduce((sum, size) => sum + size, 0);
    this.grow(256);
    this.end();
  }

  begin(): void {
    this.count = 0;
  }

  /** Where, in `data`, the first of the next rectangle's four vertices goes. */
  next(): number {
    if (this.count >= this.room) this.grow(this.room * 2);
    return 4 * this.stride * this.count++;
  }

  /** One more rectangle, whose four vertices have the same numbers. */
  add(...numbers: readonly number[]): void {
    const at = this.next();
    for (let vertex = 0; vertex < 4; vertex++) this.data.set(numbers, at + vertex * this.stride);
  }

  /** All are listed: they are what is drawn next. */
  end(): void {
    this.geometry.setDrawRange(0, this.count * 6);
    this.buffer?.clearUpdateRanges();
    this.buffer?.addUpdateRange(0, this.count * 4 * this.stride);
    if (this.buffer && this.count > 0) this.buffer.needsUpdate = true;
  }

  dispose(): void {
    this.geometry.dispose();
  }

  private grow(room: number): void {
    const { geometry } = this;
    const data = new Float32Array(room * 4 * this.stride);
    data.set(this.data);
    this.data = data;
    this.room = room;
    geometry.dispose();
    this.buffer = new InterleavedBuffer(data, this.stride);
    this.buffer.setUsage(DynamicDrawUsage);
    let offset = 0;
    for (const [name, size] of Object.entries(this.attributes)) {
      geometry.setAttribute(name, new InterleavedBufferAttribute(this.buffer, size, offset));
      offset += size;
    }
    const corners = new Uint32Array(room * 6);
    for (let i = 0; i < room; i++)
      corners.set([i * 4, i * 4 + 1, i * 4 + 2, i * 4, i * 4 + 2, i * 4 + 3], i * 6);
    geometry.setIndex(new BufferAttribute(corners, 1));
  }
}
