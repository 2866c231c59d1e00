/** All plates in one draw call: instances of one quad, each a piece of a plate (a face, or the part of its front that
 *  one tile of numbers fills). Pieces are listed anew for every frame, relative to the eye in double precision, so
 *  that nothing trembles far from the origin, and only what the eye can see is listed. */

import {
  BufferAttribute,
  DataTexture,
  DynamicDrawUsage,
  FloatType,
  InstancedBufferGeometry,
  InstancedInterleavedBuffer,
  InterleavedBufferAttribute,
  Mesh,
  RGBAFormat,
} from "three";
import { type DetailLevel, LIT_TEXELS, LIT_WIDTH, type PlateMaterials } from "./plate_material";
import type { CellRectangle } from "./sheets";

/** Numbers a piece: five vectors of four (plate_material.ts says what they are). */
const STRIDE = 20;
const NAMES = ["place", "extent", "cells", "source", "bounds"] as const;

export class PlateMesh {
  readonly mesh: Mesh<InstancedBufferGeometry>;
  private room = 0;
  private pieces = new Float32Array(0);
  private buffer: InstancedInterleavedBuffer | null = null;
  private count = 0;
  private plates = 0;
  private marks = new Float32Array(LIT_WIDTH * 4);
  private texture: DataTexture | null = null;
  private readonly lit = new Set<number>();

  constructor(readonly materials: PlateMaterials) {
    const geometry = new InstancedBufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array([0, 0, 0, 1, 1, 1, 1, 0]), 2));
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    this.mesh = new Mesh(geometry, materials.of(0, false));
    this.mesh.frustumCulled = false;
    this.grow(1024);
  }

  /** Pieces drawn. */
  get drawn(): number {
    return this.count;
  }

  setPlates(count: number): void {
    this.plates = count;
    const height = Math.max(1, Math.ceil((count * LIT_TEXELS) / LIT_WIDTH));
    this.marks = new Float32Array(LIT_WIDTH * height * 4);
    this.texture?.dispose();
    this.texture = new DataTexture(this.marks, LIT_WIDTH, height, RGBAFormat, FloatType);
    this.texture.needsUpdate = true;
    this.materials.uniforms.lit!.value = this.texture;
    this.lit.clear();
  }

  begin(): void {
    this.count = 0;
  }

  /** Where the next piece's numbers go: `at` in `data`. */
  next(): { readonly data: Float32Array; readonly at: number } {
    if (this.count >= this.room) this.grow(this.room * 2);
    return { data: this.pieces, at: STRIDE * this.count++ };
  }

  end(detail: DetailLevel): void {
    this.mesh.material = this.materials.of(detail, this.materials.marking || this.lit.size > 0);
    this.mesh.geometry.instanceCount = this.count;
    if (!this.buffer) return;
    this.buffer.clearUpdateRanges();
    this.buffer.addUpdateRange(0, this.count * STRIDE);
    this.buffer.needsUpdate = true;
  }

  clearLit(): void {
    for (const plate of this.lit) this.marks.fill(0, plate * LIT_TEXELS * 4, (plate + 1) * LIT_TEXELS * 4);
    if (this.lit.size > 0 && this.texture) this.texture.needsUpdate = true;
    this.lit.clear();
  }

  /** Lights a rectangle of a plate; the second of a plate goes beside the first, a third replaces the second. */
  light(plate: number, rectangle: CellRectangle): void {
    if (plate < 0 || plate >= this.plates) return;
    this.marks.set(rectangle, (plate * LIT_TEXELS + (this.lit.has(plate) ? 1 : 0)) * 4);
    this.lit.add(plate);
    if (this.texture) this.texture.needsUpdate = true;
  }

  dispose(): void {
    this.texture?.dispose();
    this.mesh.geometry.dispose();
    this.materials.dispose();
  }

  private grow(room: number): void {
    const { geometry } = this.mesh;
    const pieces = new Float32Array(room * STRIDE);
    pieces.set(this.pieces);
    this.pieces = pieces;
    this.room = room;
    if (this.buffer) geometry.dispose();
    this.buffer = new InstancedInterleavedBuffer(pieces, STRIDE);
    this.buffer.setUsage(DynamicDrawUsage);
    for (const [i, name] of NAMES.entries())
      geometry.setAttribute(name, new InterleavedBufferAttribute(this.buffer, 4, i * 4));
  }
}
