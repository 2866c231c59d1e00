/** Flying cells: numbers on their way from plate to plate, over everything else, and the slip of paper on which they
 *  meet. All in one draw call; where they are is decided elsewhere, moment by moment. */

import { DoubleSide, GLSL3, Mesh, RawShaderMaterial, Vector3 } from "three";
import { CORNER, Quads } from "../plates/quads";
import { rgb, type Theme } from "../themes";
import type { MakeOverlay, OverlayHost } from "./overlay";

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
precision highp float; precision highp int;
in vec3 middle; in vec2 size; in vec4 tint;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow;
out vec2 vAt; flat out vec4 fTint;${CORNER}
void main() {
  vAt = cornerOf(gl_VertexID);
  fTint = tint;
  vec3 corner = vec3((vAt - .5) * size, 0.);
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
      const cells = new Quads({ middle: 3, size: 2, tint: 4 });
      const material = makeMaterial(given);
      const mesh = new Mesh(cells.geometry, material);
      mesh.frustumCulled = false;
      return {
        object: mesh,
        aboveLabels: true,
        update: () => {
          fill(cells, shown);
          tell(shown.map(({ position: [x, y, z] }) => given.project(x, y, z)));
          return false;
        },
        setTheme: (theme: Theme) => {
          (material.uniforms.ink!.value as Vector3).set(...rgb(theme.ink));
        },
        dispose: () => {
          host = null;
          cells.dispose();
          material.dispose();
        },
      };
    },
    show: (rectangles) => {
      shown = rectangles.slice(0, MOST);
      host?.schedule();
    },
  };
}

function makeMaterial(host: OverlayHost): RawShaderMaterial {
  return new RawShaderMaterial({
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: { ...host.eye, ink: { value: new Vector3() } },
    // Corners go round the way that is the back here, where y runs up.
    side: DoubleSide,
    transparent: true,
    depthTest: false,
    depthWrite: false,
  });
}

function fill(cells: Quads, shown: readonly FlyingRectangle[]): void {
  cells.begin();
  for (const { position, width, height, colour, strength } of shown)
    cells.add(position[0], -position[1], position[2], width, height, ...rgb(colour), strength);
  cells.end();
}
