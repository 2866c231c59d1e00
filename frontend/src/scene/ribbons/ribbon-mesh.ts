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
import type { Ribbon } from "../../layout/types";
import type { EyeUniforms } from "../plates/plate-material";
import type { Viewer } from "../plates/visibility";
import { rgb, roles, type Theme } from "../themes";
import { weightsOf } from "./simplify-path";

/** Bands thinner than this, in pixels, are left out, as plates are; and bends that move a band by less than that. */
const THINNEST = 0.2;
const LEAST_BEND = 0.5;

/** Bands are given arrowheads from so many pixels; the broadest, which are the stream, sooner. Half an arrowhead is at
 *  least so many pixels wide, and a straight stretch so many times as long as its band has one of its own. */
const ARROW_FROM = 2.4;
const STREAM_ARROW_FROM = 0.6;
const LEAST_ARROW = 3.4;
const STRETCH = 7;

/** A band as it is listed: its points among those of all, its width, and a ball around it (layout space). */
interface Band {
  readonly first: number;
  readonly count: number;
  readonly width: number;
  readonly middle: readonly [number, number, number];
  readonly radius: number;
  /** The corners of its arrowheads, three each, among those of all. */
  readonly arrows: { readonly first: number; readonly count: number };
  /** Pixels of its width from which its arrowheads are drawn. */
  readonly arrowFrom: number;
}

const vertexShader = /* glsl */ `
precision highp float; precision highp int;
in vec3 position; in vec3 wing; in float role; in float dim;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow; uniform vec3 plus[4]; uniform float focal; uniform float least;
flat out vec4 fColour;
void main() {
  float span = length(wing);
  fColour = vec4(plus[int(role)], (span > 0. ? .62 : .2) * (1. - .9 * dim));
  vec3 at = (position - eyeHigh) - eyeLow;
  // An arrowhead is at least so many pixels wide, however thin its band.
  float pixels = span * focal / max(1., (view * vec4(at, 1.)).w);
  gl_Position = view * vec4(at + wing * max(1., least / max(pixels, 1e-6)), 1.);
}`;
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

/** An arrowhead: its tip, and the way along which it points; both in world space. */
interface Arrow {
  readonly tip: Vector3;
  readonly way: Vector3;
}

/** Arrowheads of a band: at its end, and in the middle of every long straight stretch. */
function arrowsOf({ points, width }: Ribbon): readonly Arrow[] {
  const world = points.map(([x, y, z]) => new Vector3(x, -y, z));
  const found: Arrow[] = [];
  for (let i = 1; i < world.length; i++) {
    const [from, to] = [world[i - 1] as Vector3, world[i] as Vector3];
    const length = from.distanceTo(to);
    const last = i === world.length - 1;
    if (length === 0 || (!last && length < STRETCH * width)) continue;
    const way = to.clone().sub(from).divideScalar(length);
    if (last) found.push({ tip: to.clone(), way });
    if (length >= 2 * STRETCH * width || !last) found.push({ tip: from.clone().lerp(to, 0.5), way });
  }
  return found;
}

/** From an arrowhead's tip to its three corners. */
function wingsOf({ way }: Arrow, width: number): readonly Vector3[] {
  const flat = Math.hypot(way.x, way.y);
  const side =
    flat > Math.abs(way.z) * 0.2 ? new Vector3(-way.y, way.x, 0).normalize() : new Vector3(1, 0, 0);
  const back = way.clone().multiplyScalar(-1.35 * width);
  // The tip is not moved; a length of nothing would be a band's.
  return [
    way.clone().multiplyScalar(1e-3 * width),
    back.clone().addScaledVector(side, 0.75 * width),
    back.clone().addScaledVector(side, -0.75 * width),
  ];
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
  /** Of every corner, the band it belongs to. */
  private owners: number[] = [];
  /** Of every point of every band, how much it matters, in cells. */
  private weights = new Float32Array(0);

  constructor(eye: EyeUniforms) {
    const material = new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader,
      uniforms: {
        ...eye,
        plus: { value: roles.map(() => new Vector3()) },
        focal: { value: 1 },
        least: { value: LEAST_ARROW },
      },
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
    const wings: number[] = [];
    const role: number[] = [];
    const weights: number[] = [];
    const heads: { arrow: Arrow; width: number; role: number }[] = [];
    this.bands = [];
    this.owners = [];
    const broadest = ribbons.reduce((most, { width }) => Math.max(most, width), 0);
    const bandCorners = 2 * ribbons.reduce((sum, { points }) => sum + points.length, 0);
    for (const [number, ribbon] of ribbons.entries()) {
      const { points, width } = ribbon;
      const own = arrowsOf(ribbon);
      this.bands.push({
        first: weights.length,
        count: points.length,
        width,
        ...ballAround(ribbon),
        arrows: { first: bandCorners + 3 * heads.length, count: own.length },
        arrowFrom: width >= 0.9 * broadest ? STREAM_ARROW_FROM : ARROW_FROM,
      });
      weights.push(...weightsOf(points));
      for (const corner of band(ribbon)) {
        positions.push(...corner);
        wings.push(0, 0, 0);
        role.push(roles.indexOf(ribbon.role));
        this.owners.push(number);
      }
      for (const arrow of own) heads.push({ arrow, width, role: roles.indexOf(ribbon.role) });
    }
    for (const [number, { arrows }] of this.bands.entries())
      for (let corner = 0; corner < 3 * arrows.count; corner++) this.owners.push(number);
    for (const { arrow, width, role: hue } of heads)
      for (const wing of wingsOf(arrow, width)) {
        positions.push(arrow.tip.x, arrow.tip.y, arrow.tip.z);
        wings.push(wing.x, wing.y, wing.z);
        role.push(hue);
      }
    this.weights = new Float32Array(weights);
    this.mesh.geometry.dispose();
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(positions), 3));
    geometry.setAttribute("wing", new BufferAttribute(new Float32Array(wings), 3));
    geometry.setAttribute("role", new BufferAttribute(new Float32Array(role), 1));
    geometry.setAttribute("dim", new BufferAttribute(new Float32Array(role.length), 1));
    const room = weights.length * 6 + heads.length * 3;
    geometry.setIndex(new BufferAttribute(new Uint32Array(room), 1).setUsage(DynamicDrawUsage));
    geometry.setDrawRange(0, 0);
    this.mesh.geometry = geometry;
    this.mesh.visible = weights.length > 0;
  }

  /** Lists the triangles of the bands that an eye sees. `ratio` is how many drawn pixels a CSS pixel has. Arrowheads come
   *  first: a pixel takes what comes first. */
  list(viewer: Viewer, ratio = 1): void {
    const { geometry, material } = this.mesh;
    if (!geometry.index) return;
    material.uniforms.focal!.value = viewer.focal;
    material.uniforms.least!.value = LEAST_ARROW * ratio;
    const triangles = geometry.index.array as Uint32Array;
    let end = 0;
    const seen: [Band, number][] = [];
    for (const band of this.bands) {
      const { width, middle, radius, arrows } = band;
      const ball = radius + width;
      if (!viewer.seesBall(middle[0], middle[1], middle[2], ball)) continue;
      const away = viewer.away(middle[0], middle[1], middle[2]);
      const pixels = viewer.focal / Math.max(1, away - ball);
      if (width * pixels < THINNEST) continue;
      seen.push([band, pixels]);
      if ((width * viewer.focal) / Math.max(1, away) < band.arrowFrom * ratio) continue;
      for (let corner = 0; corner < 3 * arrows.count; corner++) triangles[end++] = arrows.first + corner;
    }
    for (const [{ first, count }, pixels] of seen) {
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
    const dimmed = ribbons.map(({ from, to }) => Math.max(dimOf(from), dimOf(to)));
    for (const [vertex, owner] of this.owners.entries()) dims.setX(vertex, dimmed[owner] ?? 0);
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
