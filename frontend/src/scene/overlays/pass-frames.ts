/** What a step through the pass draws over the plates: a veil over cells that are still to be made, and frames around
 *  those that are read and made. All in one draw call; it is on the map only while somebody steps through a pass.
 */

import { GLSL3, Mesh, RawShaderMaterial } from "three";
import type { Frame } from "../../layout/pass-picture";
import type { Plate } from "../../layout/types";
import type { Point } from "../../layout/view";
import { CORNER, Quads } from "../plates/quads";
import { rgb, type Theme } from "../themes";
import type { MakeOverlay, OverlayHost } from "./overlay";

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
precision highp float; precision highp int;
in vec3 corner; in vec2 size; in vec4 fill; in vec4 border;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow;
out vec2 vAt; flat out vec2 fSize; flat out vec4 fFill; flat out vec4 fBorder;${CORNER}
void main() {
  vAt = cornerOf(gl_VertexID) * size;
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

export function makePassFrames(): PassFrames {
  let shown: readonly Frame[] = [];
  let refill: () => void = () => undefined;
  /** Where plates stood when the frames were last listed. */
  let stood = "";
  return {
    make: (host) => {
      const quads = new Quads({ corner: 3, size: 2, fill: 4, border: 4 });
      const material = makeMaterial(host);
      const mesh = new Mesh(quads.geometry, material);
      mesh.frustumCulled = false;
      let theme: Theme | null = null;
      refill = () => {
        stood = "";
        host.schedule();
      };
      return {
        object: mesh,
        // Frames go along with plates that move.
        update: () => {
          const placed = shown.flatMap((frame) => placedOn(frame, host.plate(frame.plate)) ?? []);
          const stands = placed.map(({ at }) => at.join(" ")).join();
          if (theme && (stands !== stood || stood === "")) fill(quads, placed, theme);
          stood = stands;
          return false;
        },
        setTheme: (now) => {
          theme = now;
          refill();
        },
        dispose: () => {
          refill = () => undefined;
          quads.dispose();
          material.dispose();
        },
      };
    },
    show: (frames) => {
      shown = frames;
      refill();
    },
  };
}

function makeMaterial(host: OverlayHost): RawShaderMaterial {
  return new RawShaderMaterial({
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
}

/** A frame, and the upper left corner of its cells in layout space. */
interface Placed {
  readonly frame: Frame;
  readonly at: Point;
}

function placedOn(frame: Frame, plate: Plate | null): Placed | null {
  return plate && { frame, at: [plate.x + frame.column, plate.y + frame.row, plate.z] };
}

function fill(quads: Quads, frames: readonly Placed[], theme: Theme): void {
  const [paper, ink] = [rgb(theme.paper), rgb(theme.ink)];
  quads.begin();
  for (const {
    frame: { kind, role, columns, rows },
    at: [x, y, z],
  } of frames) {
    const hue = rgb(theme.positive[role]);
    const inner = kind === "unmade" ? ([...paper, VEIL] as const) : ([...hue, TINT] as const);
    const border = { unmade: [...paper, 0], read: [...hue, THIN], made: [...ink, THICK] }[kind];
    quads.add(x, -y, z, columns, rows, ...inner, ...border);
  }
  quads.end();
}
