/** Ribbons: translucent bands that show where data goes, all in one draw call. The stencil lets each pixel take
 *  one band only, so that bands that cross never pile up into an opaque mass. */

import {
  BufferAttribute,
  BufferGeometry,
  DoubleSide,
  EqualStencilFunc,
  GLSL3,
  IncrementStencilOp,
  KeepStencilOp,
  Mesh,
  RawShaderMaterial,
  Vector3,
} from "three";
import type { Ribbon } from "../layout/types";
import type { EyeUniforms } from "./plate_material";
import { rgb, roles, type Theme } from "./themes";

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

export class RibbonMesh {
  readonly mesh: Mesh<BufferGeometry, RawShaderMaterial>;

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
    const triangles: number[] = [];
    for (const ribbon of ribbons) {
      const first = positions.length / 3;
      const corners = band(ribbon);
      for (const corner of corners) {
        positions.push(...corner);
        role.push(roles.indexOf(ribbon.role));
      }
      for (let i = 0; i + 3 < corners.length; i += 2)
        triangles.push(first + i, first + i + 1, first + i + 2, first + i + 1, first + i + 3, first + i + 2);
    }
    this.mesh.geometry.dispose();
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(positions), 3));
    geometry.setAttribute("role", new BufferAttribute(new Float32Array(role), 1));
    geometry.setAttribute("dim", new BufferAttribute(new Float32Array(role.length), 1));
    geometry.setIndex(triangles);
    this.mesh.geometry = geometry;
    this.mesh.visible = triangles.length > 0;
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
