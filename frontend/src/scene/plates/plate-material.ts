/** How plates look: one program for all of them in a frame, in as many versions as there is detail to show.
 *
 *  A rectangle is a piece of a plate (draw-list.ts): a face in space and the rectangle of the pool that fills it. Its
 *  colour from afar is one filtered look-up. Grid, discs and marks are in the program only when some piece in
 *  view is large enough to show them: a software renderer pays for what is in a program even where it is not run.
 */

import {
  DoubleSide,
  GLSL3,
  type IUniform,
  Matrix4,
  RawShaderMaterial,
  type Texture,
  Vector3,
  Vector4,
} from "three";
import { rgb, roles, type Theme } from "../themes";
import { DIGITS_FADE, DIGITS_LOW } from "../values/digits-reach";

/** What a program can show: colour alone, also lines between cells, also the numbers as discs; and the last again, for
 *  when all cells in view are so large that none needs its neighbours for a smooth picture. */
export const Detail = { colour: 0, lines: 1, discs: 2, near: 3 } as const;
export type DetailLevel = (typeof Detail)[keyof typeof Detail];

/** Pixels a cell from which there is a grid, a disc. */
export const GRID_FROM = 4;
export const DISC_FROM = 8;

/** What is to be seen of cells whose pixels are at most, and at least, so many. */
export function detailAt(largest: number, smallest: number): DetailLevel {
  if (largest <= 1.5) return Detail.colour;
  if (largest <= DISC_FROM) return Detail.lines;
  return smallest <= DISC_FROM ? Detail.discs : Detail.near;
}

/** Pixels between stripes of what is not here, at least. */
const STRIPES = 7;
/** Texels a plate in the texture of what is lit. */
export const LIT_TEXELS = 2;
export const LIT_WIDTH = LIT_TEXELS * 512;

/** A vertex's `look.x` is a sum of these: its face, whether its texels are the cells themselves, its role (times
 *  `role`), and how far it is mixed toward the paper (in 255ths, times `dim`). `packed` parts a packed place's y from x. */
export const Look = { front: 0, side: 1, end: 2, exact: 4, role: 8, dim: 32, packed: 1024 } as const;

const vertexShader = /* glsl */ `
precision highp float; precision highp int; precision highp sampler2D;
in vec3 place;  // relative to the eye
in vec2 cell;   // column and row within the plate
in vec2 texel;  // in the layer's mipmap
in vec2 bounds; // of the filtered look-up, in texels: first and last, packed
in vec2 size;   // columns and rows of the plate
in vec3 look;   // a sum of what Look lists; layer + 4096 * level of the mipmap; number of the plate
uniform mat4 view; uniform vec3 paper; uniform vec3 frame; uniform vec3 plus[4]; uniform vec3 minus[4]; uniform float edgePixels;
out vec2 vCell; out vec2 vTexel;
flat out vec4 fBounds; flat out vec3 fBase; flat out vec3 fFrame; flat out vec3 fPlus; flat out vec3 fMinus;
flat out vec2 fSize; flat out vec4 fLook; flat out vec3 fStripes;
#ifdef MARKS
uniform sampler2D lit;
flat out vec4 fLitA; flat out vec4 fLitB; flat out float fPlate;
#endif
void main() {
  int code = int(look.x), face = code & 3, role = (code >> 3) & 3;
  ivec2 corners = ivec2(bounds);
  fBounds = .5 * vec4(corners.x & ${Look.packed - 1}, corners.x >> 10, corners.y & ${Look.packed - 1}, corners.y >> 10);
  vCell = cell; vTexel = texel; fSize = size;
  // Dimming mixes all colours toward the paper.
  float strength = 1. - float(code >> 5) / 255.;
  fPlus = (plus[role] - paper) * strength;
  fMinus = (minus[role] - paper) * strength;
  // Frames and walls have no hue: hues are values.
  fFrame = mix(paper, frame, strength);
  fBase = face == 0 ? paper : mix(paper, fFrame, face == 1 ? .5 : .35);
  gl_Position = view * vec4(place, 1.);
  // The outline fades where the plate is only a few pixels wide: narrow plates side by side would be all outline.
  float pixels = min(size.x, size.y) * edgePixels / max(1., gl_Position.w);
  float outline = .8 * clamp((pixels - 3.) * .12, 0., 1.);
  // Stripes of what is not here: so many cells apart that it is ${STRIPES} to ${2 * STRIPES} pixels; a power of two, so that they stay
  // where they are while the eye moves. One over the cells, the pixels, and how strong.
  float perCell = edgePixels / max(1., gl_Position.w), apart = exp2(ceil(log2(${STRIPES}. / perCell)));
  fStripes = vec3(1. / apart, .71 * apart * perCell, strength);
  float mip = floor(look.y / 4096.);
  fLook = vec4(look.y - mip * 4096., mip, float((code >> 2) & 1), outline);
#ifdef MARKS
  int first = int(look.z) * ${LIT_TEXELS};
  ivec2 at = ivec2(first % ${LIT_WIDTH}, first / ${LIT_WIDTH});
  fLitA = texelFetch(lit, at, 0); fLitB = texelFetch(lit, at + ivec2(1, 0), 0);
  fPlate = face == 0 ? look.z : -2.;
#endif
}`;

// Written for a software renderer: it pays for every operation, most for looking up (80 ns for four pixels, filtered),
// and executes both sides of a branch. So everything that is mixed in is a share first, one number, and colours are
// added once. What a view does not need is left out of its program.
const fragmentShader = /* glsl */ `
precision highp float; precision highp int; precision highp sampler2DArray; precision highp usampler2D;
in vec2 vCell; in vec2 vTexel;
flat in vec4 fBounds; flat in vec3 fBase; flat in vec3 fFrame; flat in vec3 fPlus; flat in vec3 fMinus;
flat in vec2 fSize; flat in vec4 fLook; flat in vec3 fStripes;
uniform sampler2DArray pool;
uniform vec3 paper; uniform vec3 grey; uniform vec3 notANumber; uniform vec3 stripe; // the last three less paper
out vec4 colour;
#if DETAIL > 0
uniform vec3 rule; uniform vec3 darkRule;
#endif
#if DETAIL > 1
uniform float printedFrom; // pixels a cell from which its number stands in it
#endif
#ifdef MARKS
flat in vec4 fLitA; flat in vec4 fLitB; flat in float fPlate;
uniform vec3 ink;
uniform vec4 hovered; uniform vec4 chosen; // plate, column, row; plate is negative for none
float insideOf(vec4 r) { return step(r.x, vCell.x) * step(vCell.x, r.z) * step(r.y, vCell.y) * step(vCell.y, r.w); }
float outlineOf(vec4 r, vec2 perCell, float width) {
  vec2 beyond = max(r.xy - vCell, vCell - r.zw) * perCell;
  return clamp(width * .5 + .5 - abs(max(beyond.x, beyond.y) + width * .5), 0., 1.) * step(r.x + .5, r.z);
}
vec3 marks(vec3 c, vec2 perCell) {
  vec2 cross = step(hovered.yz, vCell) * step(vCell, hovered.yz + 1.);
  float here = hovered.x == fPlate ? 1. : 0.;
  c = mix(c, ink, here * .09 * max(cross.x, cross.y));
  c = mix(c, ink, .08 * max(insideOf(fLitA), insideOf(fLitB)));
  c = mix(c, ink, .85 * max(outlineOf(fLitA, perCell, 1.5), outlineOf(fLitB, perCell, 1.5)));
  c = mix(c, ink, here * outlineOf(vec4(hovered.yz, hovered.yz + 1.), perCell, 1.6));
  return mix(c, ink, chosen.x == fPlate ? outlineOf(vec4(chosen.yz, chosen.yz + 1.), perCell, 2.6) : 0.);
}
#endif
void main() {
  vec2 perCell = 1. / max(fwidth(vCell), 1e-6); // pixels
  vec2 q = clamp(vTexel, fBounds.xy, fBounds.zw);
#if DETAIL == 1 || DETAIL == 2
  // Cells larger than a pixel have sharp sides, one pixel soft; a stand-in for them stays soft throughout.
  vec2 border = floor(q + .5);
  vec2 sharp = max(vec2(1.), fLook.z / max(fwidth(vTexel), 1e-6));
  q = border + clamp((q - border) * sharp, -.5, .5);
#endif
#if DETAIL == 3
  vec4 s = texelFetch(pool, ivec3(q, fLook.x), 0);
#else
  vec4 s = textureLod(pool, vec3(q * (exp2(fLook.y) / 256.), fLook.x), fLook.y);
#endif
  vec4 share = s; // of each hue
  // What is not here is neither zero nor masked: stripes on paper, falling to the right, at every size. Few operations:
  // this is in every program. Half a share of grey is not here, none or all of it is something else.
  float absent = s.b - s.b * s.b;
  float striped = absent * clamp(1.1 - abs(fract((vCell.x - vCell.y) * fStripes.x) - .5) * fStripes.y, 0., 1.);
  share.b = (share.b - 1.5 * absent) * fStripes.z;
#if DETAIL > 0
  float px = min(perCell.x, perCell.y);
  vec2 middle = fract(vCell) - .5, beside = .5 - abs(middle), beside16 = abs(vCell - 16. * floor(vCell * .0625 + .5));
  // Lines between cells from ${GRID_FROM} pixels; every 16th is darker and there sooner. None in what is not here.
  float ruled = fLook.w > 0. && abs(s.b - .5) >= .25 ? 1. : 0.;
  vec2 near = beside * perCell, near16 = beside16 * perCell;
  float line = ruled * (.8 * clamp(1.1 - min(near.x, near.y), 0., 1.) * clamp((px - 3.5) * .25, 0., 1.));
  float dark = ruled * (.6 * clamp(1.1 - min(near16.x, near16.y), 0., 1.) * clamp((px - 1.5) * .4, 0., 1.));
  float rules = line * (1. - dark), kept = 1. - dark - rules;
#endif
#if DETAIL > 1
  // The number as a disc, from ${DISC_FROM} pixels: its area is the share of full colour. Masked cells are hatched.
  float round = fLook.z * clamp((px - ${DISC_FROM}.) * .15, 0., 1.), t = max(s.r, s.g);
  float disc = s.b + s.a <= .25 ? round : 0.;
  float cover = disc * clamp(sqrt(t) * (.391 * px) - (length(middle) * (.85 * px) - .5), 0., 1.) * step(.001, t);
  float hue = cover * (.45 + .55 * t);
  // Where its number is printed the disc is a tint of its hue, so that ink reads on it.
  hue *= 1. - .62 * clamp((min(perCell.x, perCell.y * ${DIGITS_LOW.toFixed(1)}) - printedFrom) * ${(1 / DIGITS_FADE).toFixed(3)}, 0., 1.);
  share = share * (1. - .7 * disc - .3 * cover) + (s.g > s.r ? vec4(0., hue, 0., 0.) : vec4(hue, 0., 0., 0.));
  float hatch = s.b >= .75 ? round * (.5 * clamp(1.2 - abs(fract(vCell.x + vCell.y) - .5) * (px * .5), 0., 1.)) : 0.;
  dark += kept * hatch;
  kept -= kept * hatch;
#endif
  vec3 c = (fBase + share.r * fPlus) + (share.g * fMinus + (share.b * grey + share.a * notANumber)) + (striped * fStripes.z) * stripe;
#if DETAIL > 0
  c = kept * c + (rules * rule + dark * darkRule);
#endif
#ifdef MARKS
  c = marks(c, perCell);
#endif
  vec2 edge = min(vCell, fSize - vCell) * perCell;
  colour = vec4(mix(c, fFrame, fLook.w * clamp(1.5 - min(edge.x, edge.y), 0., 1.)), 1.);
}`;

/** The least that draws plates where they are: what frame times are compared with. */
const bareShader = /* glsl */ `
precision highp float;
flat in vec3 fBase; flat in vec3 fPlus; out vec4 colour;
void main() { colour = vec4(fBase + .5 * fPlus, 1.); }`;

type Colour = readonly [number, number, number];

/** Uniforms that say where the eye is, shared by everything in the scene. */
export interface EyeUniforms extends Record<string, IUniform> {
  view: IUniform<Matrix4>;
  eyeHigh: IUniform<Vector3>;
  eyeLow: IUniform<Vector3>;
}

export function makeEyeUniforms(): EyeUniforms {
  return {
    view: { value: new Matrix4() },
    eyeHigh: { value: new Vector3() },
    eyeLow: { value: new Vector3() },
  };
}

export class PlateMaterials {
  readonly uniforms: Record<string, IUniform>;
  private readonly programs = new Map<string, RawShaderMaterial>();
  readonly bare: RawShaderMaterial;
  private readonly marked = new Set<string>();

  constructor(eye: EyeUniforms, pool: Texture) {
    this.uniforms = {
      view: eye.view,
      pool: { value: pool },
      lit: { value: null },
      paper: { value: new Vector3() },
      ink: { value: new Vector3() },
      frame: { value: new Vector3() },
      rule: { value: new Vector3() },
      darkRule: { value: new Vector3() },
      grey: { value: new Vector3() },
      notANumber: { value: new Vector3() },
      stripe: { value: new Vector3() },
      printedFrom: { value: Number.MAX_VALUE },
      edgePixels: { value: 1 },
      plus: { value: roles.map(() => new Vector3()) },
      minus: { value: roles.map(() => new Vector3()) },
      hovered: { value: new Vector4(-1, 0, 0, 0) },
      chosen: { value: new Vector4(-1, 0, 0, 0) },
    };
    this.bare = this.make(bareShader, { DETAIL: Detail.colour });
  }

  /** The program that shows so much, with marks or without. */
  of(detail: DetailLevel, marks: boolean): RawShaderMaterial {
    const least = marks ? Math.max(detail, Detail.lines) : detail;
    const key = `${least} ${marks}`;
    const known = this.programs.get(key);
    if (known) return known;
    const made = this.make(fragmentShader, { DETAIL: least, ...(marks ? { MARKS: 1 } : {}) });
    this.programs.set(key, made);
    return made;
  }

  private make(shader: string, defines: Record<string, number>): RawShaderMaterial {
    return new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader: shader,
      uniforms: this.uniforms,
      defines,
      side: DoubleSide,
    });
  }

  /** True while a cell is hovered or chosen. */
  get marking(): boolean {
    return this.marked.size > 0;
  }

  setTheme(theme: Theme): void {
    const set = (name: string, value: Colour): void => {
      (this.uniforms[name]!.value as Vector3).set(...value);
    };
    const [paper, rule, ink] = [rgb(theme.paper), rgb(theme.rule), rgb(theme.ink)];
    const mixed = (from: Colour, to: Colour, share: number): Colour => [
      from[0] + (to[0] - from[0]) * share,
      from[1] + (to[1] - from[1]) * share,
      from[2] + (to[2] - from[2]) * share,
    ];
    const less = (of: Colour): Colour => [of[0] - paper[0], of[1] - paper[1], of[2] - paper[2]];
    set("paper", paper);
    set("ink", ink);
    set("frame", mixed(paper, ink, 0.55));
    set("rule", rule);
    set("darkRule", mixed(rule, ink, 0.28));
    set("grey", less(mixed(paper, rule, 0.55)));
    set("notANumber", less(rgb(theme.notANumber)));
    // Four times, since no more than a quarter of it is mixed in.
    set("stripe", less(mixed(paper, rule, 4 * 0.85)));
    for (const [i, role] of roles.entries()) {
      (this.uniforms.plus!.value as Vector3[])[i]?.set(...rgb(theme.positive[role]));
      (this.uniforms.minus!.value as Vector3[])[i]?.set(...rgb(theme.negative[role]));
    }
  }

  /** Marks a cell as hovered or chosen; null for none. */
  mark(what: "hovered" | "chosen", cell: { plate: number; row: number; column: number } | null): void {
    const value = this.uniforms[what]!.value as Vector4;
    if (cell) value.set(cell.plate, cell.column, cell.row, 0);
    else value.set(-1, 0, 0, 0);
    if (cell && cell.plate >= 0) this.marked.add(what);
    else this.marked.delete(what);
  }

  dispose(): void {
    for (const program of [...this.programs.values(), this.bare]) program.dispose();
  }
}
