/** Printed numbers: one draw call, a rectangle a cell (vertices, since a software renderer pays for instances). A number lies in the plane of its plate, a little before it, in
 *  ink with a rim of paper, so that it reads on every colour. */

import {
  BufferAttribute,
  BufferGeometry,
  GLSL3,
  Mesh,
  RawShaderMaterial,
  type Texture,
  Vector3,
} from "three";
import type { EyeUniforms } from "../plates/plate-material";
import {
  ACROSS,
  ADVANCE,
  GLYPHS,
  loadGlyphFont,
  makeGlyphTexture,
  packText,
  RIM,
  TILE,
} from "../text/glyphs";
import { rgb, type Theme } from "../themes";
import { DIGITS_FADE, DIGITS_FROM, DIGITS_LOW } from "./digits-reach";

/** Numbers printed at once, at most. */
export const MOST = 8192;
/** Share of a cell's width that the longest number takes. */
const WIDTH = 0.86;

const vertexShader = /* glsl */ `
precision highp float; precision highp int;
in vec3 place;  // middle of the cell
in vec3 look;   // characters; texels a cell; dimming
in uvec2 text;
uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow;
out vec2 vAt; out vec2 vCell;
flat out uvec2 fText; flat out vec2 fLook;
void main() {
  int corner = gl_VertexID & 3;
  vec2 position = vec2(corner & 1, corner >> 1);
  vec2 size = vec2(look.x * ${ADVANCE}. + ${2 * RIM}., ${TILE.height}.); // texels
  vAt = position * size;
  vCell = (position - .5) * size / look.y;
  fText = text; fLook = vec2(look.x, look.z);
  // The rim reaches over the plate's own surface, so numbers lie a little before it.
  gl_Position = view * vec4(((place - eyeHigh) - eyeLow) + vec3(vCell.x, -vCell.y, .02), 1.);
}`;

const fragmentShader = /* glsl */ `
precision highp float; precision highp int;
in vec2 vAt; in vec2 vCell;
flat in uvec2 fText; flat in vec2 fLook;
uniform sampler2D glyphs; uniform vec3 ink; uniform vec3 paper; uniform float pixelRatio;
out vec4 colour;
void main() {
  vec2 right = dFdx(vAt), down = dFdy(vAt), cell = fwidth(vCell);
  float place = clamp(floor((vAt.x - ${RIM}.) / ${ADVANCE}.), 0., fLook.x - 1.);
  int at = int(place);
  uint glyph = ((at < 8 ? fText.x : fText.y) >> uint(4 * (at & 7))) & 15u;
  vec2 tile = vec2(glyph % ${ACROSS}u, glyph / ${ACROSS}u) * vec2(${TILE.width}., ${TILE.height}.);
  vec2 size = vec2(${TILE.width * ACROSS}., ${TILE.height * (GLYPHS.length / ACROSS)}.);
  vec2 inTile = vec2(vAt.x - place * ${ADVANCE}., vAt.y);
  // Half a level finer than filtering asks for: the distances are smooth.
  float d = textureGrad(glyphs, (tile + inTile) / size, right * .7 / size, down * .7 / size).r - .5;
  float pixel = max(length(right), length(down)) / ${2 * RIM}.; // of the screen, in units of the texture
  float body = clamp(d / pixel + .55, 0., 1.);
  float rim = clamp((d + min(.4, 1.4 * pixelRatio * pixel)) / pixel + .5, 0., 1.);
  float pixels = 1. / (max(cell.x, cell.y / ${DIGITS_LOW.toFixed(1)}) * pixelRatio);
  float shown = clamp((pixels - ${DIGITS_FROM}.) / ${DIGITS_FADE}., 0., 1.) * (1. - fLook.y);
  colour = vec4(mix(paper, ink, body), max(body, .8 * rim) * shown);
}`;

export class DigitsMesh {
  readonly mesh: Mesh<BufferGeometry, RawShaderMaterial>;
  private readonly place = new BufferAttribute(new Float32Array(MOST * 4 * 3), 3);
  private readonly look = new BufferAttribute(new Float32Array(MOST * 4 * 3), 3);
  private readonly text = new BufferAttribute(new Uint32Array(MOST * 4 * 2), 2);
  private texture: Texture | null = null;
  private numbers = 0;

  /** `ready` is called when the font has come and the numbers are to be drawn again. */
  constructor(
    eye: EyeUniforms,
    private readonly ready: () => void,
  ) {
    const geometry = new BufferGeometry();
    geometry.setAttribute("place", this.place);
    geometry.setAttribute("look", this.look);
    geometry.setAttribute("text", this.text);
    const corners = new Uint16Array(MOST * 6);
    for (let i = 0; i < MOST; i++)
      corners.set(
        [0, 2, 3, 0, 3, 1].map((corner) => i * 4 + corner),
        i * 6,
      );
    geometry.setIndex(new BufferAttribute(corners, 1));
    geometry.setDrawRange(0, 0);
    const material = new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader,
      uniforms: {
        view: eye.view,
        eyeHigh: eye.eyeHigh,
        eyeLow: eye.eyeLow,
        glyphs: { value: null },
        ink: { value: new Vector3() },
        paper: { value: new Vector3() },
        pixelRatio: { value: 1 },
      },
      transparent: true,
      depthWrite: false,
    });
    this.mesh = new Mesh(geometry, material);
    this.mesh.frustumCulled = false;
    this.mesh.visible = false;
  }

  get count(): number {
    return this.numbers;
  }

  clear(): void {
    this.numbers = 0;
  }

  /** Adds a number in the middle of a cell (layout space) that has room for so many characters. */
  add(text: string, x: number, y: number, z: number, room: number, dim: number): void {
    if (this.numbers >= MOST) return;
    const [first, second] = packText(text);
    for (let i = this.numbers * 4; i < this.numbers * 4 + 4; i++) {
      this.place.setXYZ(i, x, -y, z);
      this.look.setXYZ(i, text.length, (room * ADVANCE) / WIDTH, dim);
      this.text.setXY(i, first, second);
    }
    this.numbers++;
  }

  end(): void {
    for (const attribute of [this.place, this.look, this.text]) {
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, this.numbers * 4 * attribute.itemSize);
      attribute.needsUpdate = true;
    }
    this.mesh.geometry.setDrawRange(0, this.numbers * 6);
  }

  /** Shows what was added, in this frame and the next, or nothing. The characters are drawn when first needed. */
  show(shown: boolean, pixelRatio: number): void {
    this.mesh.visible = shown && this.numbers > 0;
    if (!this.mesh.visible) return;
    this.mesh.material.uniforms.pixelRatio!.value = pixelRatio;
    if (this.texture) return;
    this.makeTexture();
    void loadGlyphFont().then(() => {
      this.makeTexture();
      this.ready();
    });
  }

  setTheme(theme: Theme): void {
    for (const name of ["paper", "ink"] as const)
      (this.mesh.material.uniforms[name]!.value as Vector3).set(...rgb(theme[name]));
  }

  dispose(): void {
    this.texture?.dispose();
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }

  private makeTexture(): void {
    this.texture?.dispose();
    this.texture = makeGlyphTexture();
    this.mesh.material.uniforms.glyphs!.value = this.texture;
  }
}
