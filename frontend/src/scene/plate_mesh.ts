/** All plates as instances of one box, drawn in one call: an instance is a plate's number, everything else about
 *  it lies in a data texture. Only plates in view are drawn, the nearest first. */

import {
  BufferAttribute,
  DataTexture,
  DynamicDrawUsage,
  FloatType,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  RGBAFormat,
} from "three";
import type { Plate } from "../layout/types";
import { PLATE_TEXELS, PLATE_TEXTURE_WIDTH, type PlateMaterial } from "./plate_material";
import type { CellRectangle, Window } from "./sheets";
import { roles } from "./themes";

/** Front, then the four walls (never the back): corners, and for each face 0 front, 1 left or right, 2 top or bottom. */
function boxGeometry(): InstancedBufferGeometry {
  const faces: [number, number[][]][] = [
    [
      0,
      [
        [0, 0, 1],
        [0, 1, 1],
        [1, 1, 1],
        [1, 0, 1],
      ],
    ],
    [
      1,
      [
        [0, 0, 0],
        [0, 1, 0],
        [0, 1, 1],
        [0, 0, 1],
      ],
    ],
    [
      1,
      [
        [1, 0, 1],
        [1, 1, 1],
        [1, 1, 0],
        [1, 0, 0],
      ],
    ],
    [
      2,
      [
        [0, 0, 0],
        [0, 0, 1],
        [1, 0, 1],
        [1, 0, 0],
      ],
    ],
    [
      2,
      [
        [0, 1, 1],
        [0, 1, 0],
        [1, 1, 0],
        [1, 1, 1],
      ],
    ],
  ];
  const geometry = new InstancedBufferGeometry();
  const corners = faces.flatMap(([, points]) => points.flat());
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(corners), 3));
  const sides = faces.flatMap(([side]) => [side, side, side, side]);
  geometry.setAttribute("side", new BufferAttribute(new Float32Array(sides), 1));
  geometry.setIndex(faces.flatMap((_, i) => [0, 1, 2, 0, 2, 3].map((corner) => i * 4 + corner)));
  return geometry;
}

export class PlateMesh {
  readonly mesh: Mesh<InstancedBufferGeometry, PlateMaterial>;
  private data = new Float32Array(0);
  private texture: DataTexture | null = null;
  private order: InstancedBufferAttribute | null = null;
  private lit = new Set<number>();

  constructor(readonly material: PlateMaterial) {
    this.mesh = new Mesh(boxGeometry(), material);
    this.mesh.frustumCulled = false;
  }

  get drawn(): number {
    return this.mesh.geometry.instanceCount;
  }

  setWindows(windows: readonly Window[]): void {
    const height = Math.max(1, Math.ceil((windows.length * PLATE_TEXELS) / PLATE_TEXTURE_WIDTH));
    this.data = new Float32Array(PLATE_TEXTURE_WIDTH * height * 4);
    for (const [i, { plate, sheet, row, column, transposed }] of windows.entries()) {
      const flags = roles.indexOf(plate.role) | (transposed ? 4 : 0);
      this.data.set(
        [
          plate.x,
          -plate.y,
          plate.z,
          0,
          plate.columns,
          plate.rows,
          1,
          flags,
          sheet.firstTile,
          sheet.tilesAcross,
          column,
          row,
        ],
        i * PLATE_TEXELS * 4,
      );
    }
    this.texture?.dispose();
    this.texture = new DataTexture(this.data, PLATE_TEXTURE_WIDTH, height, RGBAFormat, FloatType);
    this.texture.needsUpdate = true;
    (this.material.uniforms.plates as { value: DataTexture }).value = this.texture;
    this.lit.clear();
    const { geometry } = this.mesh;
    geometry.dispose();
    this.order = new InstancedBufferAttribute(new Float32Array(Math.max(1, windows.length)), 1);
    this.order.setUsage(DynamicDrawUsage);
    geometry.setAttribute("plate", this.order);
    geometry.instanceCount = 0;
  }

  setOrder(plates: ArrayLike<number>, count: number): void {
    if (!this.order) return;
    for (let i = 0; i < count; i++) this.order.array[i] = plates[i] as number;
    this.order.clearUpdateRanges();
    this.order.addUpdateRange(0, count);
    this.order.needsUpdate = true;
    this.mesh.geometry.instanceCount = count;
  }

  setScale(plate: number, scale: number): void {
    this.set(plate, 1, 2, scale > 0 ? 1 / scale : 1);
  }

  /** Where a plate stands (layout space) and how far it is mixed toward the paper. */
  setPose(plate: number, { x, y, z }: Plate, dim: number): void {
    this.data.set([x, -y, z, dim], plate * PLATE_TEXELS * 4);
    if (this.texture) this.texture.needsUpdate = true;
  }

  clearLit(): void {
    for (const plate of this.lit)
      this.data.fill(0, (plate * PLATE_TEXELS + 3) * 4, (plate + 1) * PLATE_TEXELS * 4);
    if (this.lit.size > 0 && this.texture) this.texture.needsUpdate = true;
    this.lit.clear();
  }

  /** Lights a rectangle of a plate; the second of a plate goes beside the first, a third replaces the second. */
  light(plate: number, rectangle: CellRectangle): void {
    const texel = this.lit.has(plate) ? 4 : 3;
    for (const [k, value] of rectangle.entries()) this.set(plate, texel, k, value);
    this.lit.add(plate);
  }

  dispose(): void {
    this.texture?.dispose();
    this.mesh.geometry.dispose();
    this.material.dispose();
  }

  private set(plate: number, texel: number, component: number, value: number): void {
    this.data[(plate * PLATE_TEXELS + texel) * 4 + component] = value;
    if (this.texture) this.texture.needsUpdate = true;
  }
}
