/** Flying cells: numbers on their way from plate to plate, over everything else, and the slip of paper on which they
 *  meet. All in one draw call; where they are is decided elsewhere, moment by moment. */

import {
  BufferAttribute,
  DynamicDrawUsage,
  GLSL3,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  RawShaderMaterial,
  Vector3,
} from "three";
import type { MakeOverlay, OverlayHost } from "./overlay";
import { rgb, type Theme } from "./themes";

/** A rectangle that faces the viewer: its middle in layout space, its size, its colour as displayed. */
export interface FlyingRectangle {
  readonly position: readonly [number, number, number];
  readonly width: number;
  readonly height: number;
  readonly colour: string;
  /** Opacity, from 0 to 1. */
  readonly strength: number;
}

/** Middles of the rectangles on the canvas, and how many CSS pixels a cell has there; null behind the eye. */
export type FlyingListener = (
  places: readonly ({ readonly x: number; readonly y: number; readonly scale: number } | null)[],
) => void;

export interface FlyingCells {
  readonly make: MakeOverlay;
  show(rectangles: readonly FlyingRectangle[]): void;
}

const MOST = 512;

const vertexShader = /* glsl */ `
precision highp float;
in vec2 position; in vec3 middle; in vec2 size; in vec4 tint;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow;
out vec2 vAt; flat out vec4 fTint;
void main() {
  vAt = position;
  fTint = tint;
  vec3 corner = vec3((position - .5) * size, 0.);
  gl_Position = view * vec4(((middle - eyeHigh) - eyeLow) + corner, 1.);
}`;
const fragmentShader = /* glsl */ `
precision highp float;
in vec2 vAt; flat in vec4 fTint;
uniform vec3 ink;
out vec4 colour;
void main() {
  vec2 inside = min(vAt, 1. - vAt) / max(fwidth(vAt), vec2(1e-6));
  float edge = 1. - smoothstep(.6, 1.6, min(inside.x, inside.y));
  colour = vec4(mix(fTint.rgb, ink, edge * .7), fTint.a);
}`;

export function makeFlyingCells(tell: FlyingListener): FlyingCells {
  let shown: readonly FlyingRectangle[] = [];
  let host: OverlayHost | null = null;
  return {
    make: (given) => {
      host = given;
      const mesh = makeMesh(given);
      return {
        object: mesh,
        aboveLabels: true,
        update: () => {
          fill(mesh.geometry, shown);
          tell(shown.map(({ position: [x, y, z] }) => given.project(x, y, z)));
          return false;
        },
        setTheme: (theme: Theme) => {
          (mesh.material.uniforms.ink!.value as Vector3).set(...rgb(theme.ink));
        },
        dispose: () => {
          host = null;
          mesh.geometry.dispose();
          mesh.material.dispose();
        },
      };
    },
    show: (rectangles) => {
      shown = rectangles.slice(0, MOST);
      host?.schedule();
    },
  };
}

type FlyingMesh = Mesh<InstancedBufferGeometry, RawShaderMaterial>;

function makeMesh(host: OverlayHost): FlyingMesh {
  const geometry = new InstancedBufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  for (const [name, width] of [
    ["middle", 3],
    ["size", 2],
    ["tint", 4],
  ] as const) {
    const attribute = new InstancedBufferAttribute(new Float32Array(MOST * width), width);
    attribute.setUsage(DynamicDrawUsage);
    geometry.setAttribute(name, attribute);
  }
  geometry.instanceCount = 0;
  const material = new RawShaderMaterial({
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: { ...host.eye, ink: { value: new Vector3() } },
    transparent: true,
    depthTest: false,
    depthWrite: false,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

function fill(geometry: InstancedBufferGeometry, shown: readonly FlyingRectangle[]): void {
  const attribute = (name: string) => geometry.getAttribute(name) as InstancedBufferAttribute;
  const [middle, size, tint] = [attribute("middle"), attribute("size"), attribute("tint")];
  for (const [i, { position, width, height, colour, strength }] of shown.entries()) {
    middle.setXYZ(i, position[0], -position[1], position[2]);
    size.setXY(i, width, height);
    tint.setXYZW(i, ...rgb(colour), strength);
  }
  for (const changed of [middle, size, tint]) changed.needsUpdate = true;
  geometry.instanceCount = shown.length;
}
