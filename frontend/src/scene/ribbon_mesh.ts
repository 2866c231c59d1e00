/** Ribbons: translucent bands that show where data goes, all in one draw call. The stencil lets each pixel take
 *  one band only, so that bands that cross never pile up into an opaque mass. Their corners are made once; which of them
 *  are joined is listed anew for every frame: bands out of view, too thin to be seen, and bends that would not move a
 *  band by half a pixel are left out. */

import {
  BufferAttribute,
  BufferGeometry,
  DoubleSide,
  DynamicDrawUsage,
  EqualStencilFunc,
  GLSL3,
  IncrementStencilOp,
  KeepStencilOp,
  Mesh,
  RawShaderMaterial,
  Vector3,
} from "three";
import type { Ribbon } from "../layout/types";
import { weightsOf } from "./bends";
import type { EyeUniforms } from "./plate_material";
import { rgb, roles, type Theme } from "./themes";
import type { Viewer } from "./visibility";

/** Bands thinner than this, in pixels, are left out, as plates are; and bends that move a band by less than that. */
const THINNEST = 0.2;
const LEAST_BEND = 0.5;

/** A band as it is listed: its points among those of all, its width, and a ball around it (layout space). */
interface Band {
  readonly first: number;
  readonly count: number;
  readonly width: number;
  readonly middle: readonly [number, number, number];
  readonly radius: number;
}

const vertexShader = /* glsl */ `
precision highp float; precision highp int;
in vec3 position; in float role; in float dim;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow; uniform vec3 plus[4];
flat out vec4 fColour;
void main() { fColour = vec4(plus[int(role)], .2 * (1. - .9 * dim)); gl_Position = view * vec4((position - eyeHigh) - eyeLow, 1.); }`;
const fragmentShader = /* glsl */ `
precision highp float; flat in vec4 fColour; out vec4 colour;
void main() { colour = fColour; }`;

/** Corners of a ribbon's band, two a point, mitred where it bends. */
function band({ points, width }: Ribbon): [number, number, number][] {
  const corners: [number, number, number][] = [];
  const world = points.map(([x, y, z]) => new Vector3(x, -y, z));
  const sideOf = (from: Vector3, to: Vector3): Vector3 => {
    const way = to.clone().sub(from);
    const flat = Math.hypot(way.x, way.y);
    return flat > Math.abs(way.z) * 0.2 ? new Vector3(-way.y, way.x, 0).normalize() : new Vector3(1, 0, 0);
  };
  for (const [i, point] of world.entries()) {
    const before = i > 0 ? sideOf(world[i - 1] as Vector3, point) : null;
    const after = i < world.length - 1 ? sideOf(point, world[i + 1] as Vector3) : null;
    const side = (before ?? after ?? new Vector3(1, 0, 0)).clone();
    if (before && after) {
      if (before.dot(after) < -0.5) after.negate();
      side
        .add(after)
        .normalize()
        .divideScalar(Math.max(0.5, side.dot(before)));
    }
    for (const half of [-width / 2, width / 2]) {
      const corner = point.clone().addScaledVector(side, half);
      corners.push([corner.x, corner.y, corner.z]);
    }
  }
  return corners;
}

function ballAround({ points }: Ribbon): { middle: [number, number, number]; radius: number } {
  const along = (axis: 0 | 1 | 2) => points.map((point) => point[axis]);
  const middle = ([0, 1, 2] as const).map(
    (axis) => (Math.min(...along(axis)) + Math.max(...along(axis))) / 2,
  );
  const [x = 0, y = 0, z = 0] = middle;
  return {
    middle: [x, y, z],
    radius: Math.max(...points.map((at) => Math.hypot(at[0] - x, at[1] - y, at[2] - z))),
  };
}

export class RibbonMesh {
  readonly mesh: Mesh<BufferGeometry, RawShaderMaterial>;
  private bands: Band[] = [];
  /** Of every point of every band, how much it matters, in cells. */
  private weights = new Float32Array(0);

  constructor(eye: EyeUniforms) {
    const material = new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader,
      uniforms: { ...eye, plus: { value: roles.map(() => new Vector3()) } },
      transparent: true,
      depthWrite: false,
      side: DoubleSide,
      forceSinglePass: true,
      stencilWrite: true,
      stencilFunc: EqualStencilFunc,
      stencilRef: 0,
      stencilFail: KeepStencilOp,
      stencilZFail: KeepStencilOp,
      stencilZPass: IncrementStencilOp,
    });
    this.mesh = new Mesh(new BufferGeometry(), material);
    this.mesh.frustumCulled = false;
  }

  setRibbons(ribbons: readonly Ribbon[]): void {
    const positions: number[] = [];
    const role: number[] = [];
    const weights: number[] = [];
    this.bands = [];
    for (const ribbon of ribbons) {
      const { points, width } = ribbon;
      this.bands.push({ first: weights.length, count: points.length, width, ...ballAround(ribbon) });
      weights.push(...weightsOf(points));
      for (const corner of band(ribbon)) {
        positions.push(...corner);
        role.push(roles.indexOf(ribbon.role));
      }
    }
    this.weights = new Float32Array(weights);
    this.mesh.geometry.dispose();
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(positions), 3));
    geometry.setAttribute("role", new BufferAttribute(new Float32Array(role), 1));
    geometry.setAttribute("dim", new BufferAttribute(new Float32Array(role.length), 1));
    geometry.setIndex(new BufferAttribute(new Uint32Array(weights.length * 6), 1).setUsage(DynamicDrawUsage));
    geometry.setDrawRange(0, 0);
    this.mesh.geometry = geometry;
    this.mesh.visible = weights.length > 0;
  }

  /** Lists the triangles of the bands that an eye sees. */
  list(viewer: Viewer): void {
    const { geometry } = this.mesh;
    if (!geometry.index) return;
    const triangles = geometry.index.array as Uint32Array;
    let end = 0;
    for (const { first, count, width, middle, radius } of this.bands) {
      const ball = radius + width;
      if (!viewer.seesBall(middle[0], middle[1], middle[2], ball)) continue;
      const pixels = viewer.focal / Math.max(1, viewer.away(middle[0], middle[1], middle[2]) - ball);
      if (width * pixels < THINNEST) continue;
      const least = LEAST_BEND / pixels;
      let from = 2 * first;
      for (let point = first + 1; point < first + count; point++) {
        if ((this.weights[point] as number) < least) continue;
        const to = 2 * point;
        triangles[end++] = from;
        triangles[end++] = from + 1;
        triangles[end++] = to;
        triangles[end++] = from + 1;
        triangles[end++] = to + 1;
        triangles[end++] = to;
        from = to;
      }
    }
    geometry.setDrawRange(0, end);
    geometry.index.clearUpdateRanges();
    geometry.index.addUpdateRange(0, end);
    if (end > 0) geometry.index.needsUpdate = true;
  }

  /** A band is as dim as the dimmer of its two plates. `dimOf` says it of a plate, by its id. */
  dim(ribbons: readonly Ribbon[], dimOf: (plateId: number) => number): void {
    const dims = this.mesh.geometry.getAttribute("dim") as BufferAttribute | undefined;
    if (!dims) return;
    let vertex = 0;
    for (const { from, to, points } of ribbons) {
      const dim = Math.max(dimOf(from), dimOf(to));
      for (let i = 0; i < points.length * 2; i++) dims.setX(vertex++, dim);
    }
    dims.needsUpdate = true;
  }

  setTheme(theme: Theme): void {
    for (const [i, role] of roles.entries())
      (this.mesh.material.uniforms.plus!.value as Vector3[])[i]?.set(...rgb(theme.positive[role]));
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
