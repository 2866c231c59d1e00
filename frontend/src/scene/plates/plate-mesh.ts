/** All plates in one draw call: rectangles, each a piece of a plate (a face, or the part of its front that one tile of
 *  numbers fills). Pieces are listed anew for every frame, relative to the eye in double precision, so that nothing
 *  trembles far from the origin, and only what the eye can see is listed. */

import { DataTexture, FloatType, Mesh, RGBAFormat } from "three";
import { type DetailLevel, LIT_TEXELS, LIT_WIDTH, type PlateMaterials } from "./plate-material";
import { Quads } from "./quads";
import type { CellRectangle } from "./sheets";

export class PlateMesh {
  /** A vertex's numbers; plate-material.ts says what they are. */
  readonly pieces = new Quads({ place: 3, cell: 2, texel: 2, bounds: 2, size: 2, look: 3 });
  readonly mesh: Mesh;
  private plates = 0;
  private marks = new Float32Array(LIT_WIDTH * 4);
  private texture: DataTexture | null = null;
  private readonly lit = new Set<number>();

  constructor(readonly materials: PlateMaterials) {
    this.mesh = new Mesh(this.pieces.geometry, materials.of(0, false));
    this.mesh.frustumCulled = false;
  }

  /** Pieces drawn. */
  get drawn(): number {
    return this.pieces.count;
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

  /** All pieces are listed. `marks` says whether what is lit, hovered and chosen is shown on them. */
  end(detail: DetailLevel, marks = true): void {
    this.mesh.material = this.materials.of(detail, marks && (this.materials.marking || this.lit.size > 0));
    this.pieces.end();
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
    this.pieces.dispose();
    this.materials.dispose();
  }
}
