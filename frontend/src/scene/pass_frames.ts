/** What a step through the pass draws over the plates: a veil over cells that are still to be made, and frames around
 *  those that are read and made. All in one draw call; it is on the map only while somebody steps through a pass.
 */

import {
  BufferAttribute,
  DynamicDrawUsage,
  GLSL3,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  RawShaderMaterial,
} from "three";
import type { Frame } from "../layout/pass_picture";
import type { MakeOverlay, OverlayHost } from "./overlay";
import { rgb, type Theme } from "./themes";

export interface PassFrames {
  readonly make: MakeOverlay;
  show(frames: readonly Frame[]): void;
}

/** How opaque a veil is, and the tint within a frame. */
const VEIL = 0.94;
const TINT = 0.07;
/** Pixels of a frame around what is read, and around what is made. */
const THIN = 1.6;
const THICK = 2.6;

const vertexShader = /* glsl */ `
precision highp float;
in vec2 position; in vec3 corner; in vec2 size; in vec4 fill; in vec4 border;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow;
out vec2 vAt; flat out vec2 fSize; flat out vec4 fFill; flat out vec4 fBorder;
void main() {
  vAt = position * size;
  fSize = size; fFill = fill; fBorder = border;
  gl_Position = view * vec4(((corner - eyeHigh) - eyeLow) + vec3(vAt.x, -vAt.y, 0.), 1.);
}`;
const fragmentShader = /* glsl */ `
precision highp float;
in vec2 vAt; flat in vec2 fSize; flat in vec4 fFill; flat in vec4 fBorder;
out vec4 colour;
void main() {
  vec2 inside = min(vAt, fSize - vAt) / clamp(fwidth(vAt), 1e-6, 1e6);
  float edge = clamp(fBorder.a - min(inside.x, inside.y), 0., 1.);
  colour = vec4(mix(fFill.rgb, fBorder.rgb, edge), mix(fFill.a, 1., edge));
}`;

type FrameMesh = Mesh<InstancedBufferGeometry, RawShaderMaterial>;
const WIDTHS = { corner: 3, size: 2, fill: 4, border: 4 } as const;

export function makePassFrames(): PassFrames {
  let shown: readonly Frame[] = [];
  let host: OverlayHost | null = null;
  let theme: Theme | null = null;
  let mesh: FrameMesh | null = null;
  const refill = (): void => {
    if (mesh && theme) fill(mesh.geometry, shown, theme);
    host?.schedule();
  };
  return {
    make: (given) => {
      host = given;
      mesh = makeMesh(given);
      return {
        object: mesh,
        update: () => false,
        setTheme: (now) => {
          theme = now;
          refill();
        },
        dispose: () => {
          mesh?.geometry.dispose();
          mesh?.material.dispose();
          [host, mesh] = [null, null];
        },
      };
    },
    show: (frames) => {
      shown = frames;
      refill();
    },
  };
}

function makeMesh(host: OverlayHost): FrameMesh {
  const geometry = new InstancedBufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array([0, 0, 0, 1, 1, 1, 1, 0]), 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  geometry.instanceCount = 0;
  const material = new RawShaderMaterial({
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: { ...host.eye },
    transparent: true,
    depthWrite: false,
    // On the plates, not in them.
    polygonOffset: true,
    polygonOffsetFactor: -2,
    polygonOffsetUnits: -8,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

function fill(geometry: InstancedBufferGeometry, frames: readonly Frame[], theme: Theme): void {
  makeRoom(geometry, frames.length);
  const attribute = (name: string) => geometry.getAttribute(name) as InstancedBufferAttribute;
  const [corner, size] = [attribute("corner"), attribute("size")];
  const [inner, border] = [attribute("fill"), attribute("border")];
  const [paper, ink] = [rgb(theme.paper), rgb(theme.ink)];
  for (const [i, { kind, role, x, y, z, columns, rows }] of frames.entries()) {
    const hue = rgb(theme.positive[role]);
    corner.setXYZ(i, x, -y, z);
    size.setXY(i, columns, rows);
    if (kind === "unmade") {
      inner.setXYZW(i, ...paper, VEIL);
      border.setXYZW(i, ...paper, 0);
    } else {
      inner.setXYZW(i, ...hue, TINT);
      border.setXYZW(i, ...(kind === "made" ? ink : hue), kind === "made" ? THICK : THIN);
    }
  }
  for (const changed of [corner, size, inner, border]) changed.needsUpdate = true;
  geometry.instanceCount = frames.length;
}

/** Attributes for at least so many frames. */
function makeRoom(geometry: InstancedBufferGeometry, count: number): void {
  const now = geometry.getAttribute("corner") as InstancedBufferAttribute | undefined;
  if (now && now.count >= count) return;
  geometry.dispose();
  const room = Math.max(64, 2 ** Math.ceil(Math.log2(count)));
  for (const [name, width] of Object.entries(WIDTHS)) {
    const attribute = new InstancedBufferAttribute(new Float32Array(room * width), width);
    attribute.setUsage(DynamicDrawUsage);
    geometry.setAttribute(name, attribute);
  }
}
