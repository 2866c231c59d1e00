/** How plates look: one shader for every plate, whatever it shows and from however far.
 *
 *  A plate's own data (place, size, scale, dimming, what is lit) is read from a small texture by its number; its
 *  cells are found through the tile table in the pool. Below 8 pixels a cell the colours of up to 2 x 2 pooled
 *  cells are averaged by the pixel's footprint; above, each cell shows its number as a disc.
 */

import { GLSL3, type IUniform, Matrix4, RawShaderMaterial, type Texture, Vector3, Vector4 } from "three";
import { rgb, roles, type Theme } from "./themes";

/** Texels of plate data a plate. */
export const PLATE_TEXELS = 5;
export const PLATE_TEXTURE_WIDTH = PLATE_TEXELS * 200;

const vertexShader = /* glsl */ `
precision highp float; precision highp int; precision highp sampler2D;
in vec3 position; in float side; in float plate;
uniform sampler2D plates; uniform mat4 view; uniform vec3 eyeHigh; uniform vec3 eyeLow;
uniform vec3 plus[4]; uniform vec3 minus[4];
out vec2 vCell; flat out vec4 fShape; flat out vec4 fSheet; flat out vec4 fLitA; flat out vec4 fLitB;
flat out vec3 fPlus; flat out vec3 fMinus; flat out ivec2 fFlags; flat out float fPlate;
vec4 datum(int k) {
  int at = int(plate) * ${PLATE_TEXELS} + k;
  return texelFetch(plates, ivec2(at % ${PLATE_TEXTURE_WIDTH}, at / ${PLATE_TEXTURE_WIDTH}), 0);
}
void main() {
  vec4 pose = datum(0), shape = datum(1);
  fSheet = datum(2); fLitA = datum(3); fLitB = datum(4);
  int flags = int(shape.w), role = flags & 3;
  fShape = vec4(shape.xy, shape.z, pose.w);
  fFlags = ivec2(flags >> 2 & 1, int(side)); fPlate = plate;
  fPlus = plus[role]; fMinus = minus[role];
  vec3 corner = vec3(position.x * shape.x, -position.y * shape.y, position.z - 1.);
  vCell = position.xy * shape.xy;
  gl_Position = view * vec4(((pose.xyz - eyeHigh) - eyeLow) + corner, 1.);
}`;

const fragmentShader = /* glsl */ `
precision highp float; precision highp int; precision highp sampler2DArray; precision highp usampler2D;
in vec2 vCell; flat in vec4 fShape; flat in vec4 fSheet; flat in vec4 fLitA; flat in vec4 fLitB;
flat in vec3 fPlus; flat in vec3 fMinus; flat in ivec2 fFlags; flat in float fPlate;
uniform sampler2DArray pool; uniform usampler2D tiles;
uniform vec3 paper; uniform vec3 ink; uniform vec3 rule; uniform vec3 notANumber;
uniform vec4 hovered; uniform vec4 chosen; // plate, column, row; plate is negative for none
out vec4 colour;

vec3 absentColour() { return mix(paper, rule, .28); }
vec3 maskedColour() { return mix(paper, rule, .55); }
vec3 colourOf(float v) {
  if (isnan(v)) return notANumber;
  if (isinf(v)) return v > 0. ? absentColour() : maskedColour();
  return mix(paper, v < 0. ? fMinus : fPlus, min(1., abs(v) * fShape.z));
}
// How strongly a line of the grid with this pitch shows here.
float gridLine(vec2 fw, float pitch) {
  vec2 p = vCell / pitch, w = fw / pitch;
  vec2 d = abs(fract(p - .5) - .5) / w;
  vec2 a = (1. - smoothstep(vec2(.35), vec2(1.05), d)) * smoothstep(vec2(3.5), vec2(9.), 1. / w);
  return max(a.x, a.y);
}
float insideOf(vec4 r) { return step(r.x, vCell.x) * step(vCell.x, r.z) * step(r.y, vCell.y) * step(vCell.y, r.w); }
float outlineOf(vec4 r, vec2 fw, float width) {
  if (r.z <= r.x) return 0.;
  vec2 beyond = max(r.xy - vCell, vCell - r.zw) / fw;
  float d = max(beyond.x, beyond.y);
  return 1. - smoothstep(width - .6, width + .4, abs(d + width * .5));
}
vec3 disc(vec3 c, float v, vec2 fw, float near) {
  vec2 q = fract(vCell);
  if (isinf(v)) {
    float d = abs(fract(q.x + q.y) - .5) / (fw.x + fw.y);
    return mix(c, mix(rule, ink, .25), v < 0. ? near * .6 * (1. - smoothstep(.3, 1., d)) : 0.);
  }
  float t = min(1., abs(v) * fShape.z);
  vec3 hue = v < 0. ? fMinus : fPlus;
  float radius = .46 * sqrt(t), d = length(q - .5), blur = .6 * max(fw.x, fw.y);
  float cover = t > 0. ? 1. - smoothstep(radius - blur, radius + blur, d) : 0.;
  return isnan(v) ? c : mix(c, mix(mix(paper, c, .30), mix(paper, hue, .45 + .55 * t), cover), near);
}
vec3 marks(vec3 c, vec2 fw) {
  if (hovered.x == fPlate) {
    vec2 cell = floor(vCell);
    if (cell.x == hovered.y || cell.y == hovered.z) c = mix(c, ink, .09);
    c = mix(c, ink, outlineOf(vec4(hovered.yz, hovered.yz + 1.), fw, 1.6));
  }
  c = mix(c, ink, .08 * max(insideOf(fLitA), insideOf(fLitB)));
  c = mix(c, ink, .85 * max(outlineOf(fLitA, fw, 1.5), outlineOf(fLitB, fw, 1.5)));
  return chosen.x == fPlate ? mix(c, ink, outlineOf(vec4(chosen.yz, chosen.yz + 1.), fw, 2.6)) : c;
}
// Loops that run once or not at all stand where one would write "if": software renderers execute both sides of
// an "if", but leave a loop out.
void main() {
  vec2 size = fShape.xy;
  vec2 fw = clamp(fwidth(vCell), 1e-6, 1e6);
  bool front = fFlags.y == 0;
  float px = 1. / max(fw.x, fw.y);
  vec2 here = clamp(vCell, vec2(0.), size - 1e-3);
  bool turned = fFlags.x == 1;
  // In the sheet: x along its columns, y along its rows.
  vec2 s = fSheet.zw + (turned ? here.yx : here);
  ivec2 tile = ivec2(s) >> 8;
  int at = int(fSheet.x) + tile.y * int(fSheet.y) + tile.x;
  uint entry = texelFetch(tiles, ivec2(at & 1023, at >> 10), 0).r;
  bool known = front && entry != 0u;
  ivec2 base = ivec2(int(entry >> 5 & 31u) << 3, int(entry & 31u) << 3);
  int layer = int(entry >> 10 & 0x1fffffu);
  vec2 origin = vec2(tile << 8);
  vec3 c = absentColour();
  float gone = 1.;
  for (int once = known && px >= 8. ? 1 : 0; once > 0; once--) {
    float v = texelFetch(pool, ivec3(base + ivec2(s - origin), layer), 0).r;
    c = disc(colourOf(v), v, fw, smoothstep(8., 15., px));
    gone = isinf(v) && v > 0. ? 1. : 0.;
  }
  for (int once = known && px < 8. ? 1 : 0; once > 0; once--) {
    vec2 f = turned ? fw.yx : fw;
    vec2 window = turned ? size.yx : size;
    vec2 low = max(fSheet.zw, origin) - origin;
    vec2 high = min(fSheet.zw + window, origin + 256.) - origin;
    int level = min(window.x, window.y) < 8. ? 0 : clamp(int(ceil(log2(max(max(f.x, f.y), 1.)) - .1)), 0, 3);
    float unit = exp2(float(-level));
    vec2 p = (s - origin) * unit, w = max(f * unit, 1e-4);
    ivec2 first = ivec2(low * unit), last = ivec2((high - .5) * unit);
    // Four taps: neighbours weighed by the pixel's footprint, or spread over it where it is larger than they are.
    bool wide = max(w.x, w.y) > 1.2;
    vec2 q = wide ? p - .25 * w : p - .5;
    vec2 pace = wide ? .5 * w : vec2(1.);
    vec2 blend = wide ? vec2(.5) : clamp((fract(q) - .5) / w + .5, 0., 1.);
    base >>= level;
    ivec2 near = base + clamp(ivec2(floor(q)), first, last);
    ivec2 next = base + clamp(ivec2(floor(q + pace)), first, last);
    vec4 v = vec4(
      texelFetch(pool, ivec3(near, layer), level).r,
      texelFetch(pool, ivec3(next.x, near.y, layer), level).r,
      texelFetch(pool, ivec3(near.x, next.y, layer), level).r,
      texelFetch(pool, ivec3(next, layer), level).r
    );
    vec2 rest = 1. - blend;
    vec4 share = vec4(rest.x * rest.y, blend.x * rest.y, rest.x * blend.y, blend.x * blend.y);
    // The mean of four colours, each a mix of paper and one hue.
    bvec4 odd = isnan(v);
    gone = dot(share, vec4(greaterThan(v, vec4(7e4))));
    float masked = dot(share, vec4(lessThan(v, vec4(-7e4))));
    vec4 t = mix(vec4(0.), clamp(v * fShape.z, -1., 1.), lessThan(abs(v), vec4(7e4))); // false for not-a-number too
    c = paper + dot(share, max(t, 0.)) * (fPlus - paper) + dot(share, max(-t, 0.)) * (fMinus - paper)
      + gone * (absentColour() - paper) + masked * (maskedColour() - paper)
      + dot(share, vec4(odd)) * (notANumber - paper);
  }
  for (int once = known && gone < 1. ? 1 : 0; once > 0; once--) {
    float fine = px > 3.5 ? 1. : px > .22 ? 16. : 256.;
    vec3 faint = mix(rule, ink, fine == 1. ? 0. : .2);
    c = mix(c, faint, (1. - gone) * (fine == 1. ? .8 : .55) * gridLine(fw, fine));
    c = mix(c, mix(rule, ink, .28), (1. - gone) * .6 * gridLine(fw, fine * 16.));
  }
  bool marked = hovered.x == fPlate || chosen.x == fPlate || fLitA.z > fLitA.x;
  for (int once = front && marked ? 1 : 0; once > 0; once--) c = marks(c, fw);
  vec2 edge = min(here, size - here) / fw;
  vec2 pixels = size / fw;
  float border = 1. - smoothstep(.5, 1.4, min(edge.x, edge.y));
  c = mix(c, fPlus, border * .75 * smoothstep(1.5, 7., min(pixels.x, pixels.y)));
  vec3 wall = mix(paper, fPlus, .34) * (fFlags.y == 1 ? .9 : .96);
  colour = vec4(mix(front ? c : wall, paper, fShape.w), 1.);
}`;

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

export class PlateMaterial extends RawShaderMaterial {
  constructor(eye: EyeUniforms, pool: Texture, tiles: Texture) {
    super({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader,
      uniforms: {
        ...eye,
        plates: { value: null },
        pool: { value: pool },
        tiles: { value: tiles },
        paper: { value: new Vector3() },
        ink: { value: new Vector3() },
        rule: { value: new Vector3() },
        notANumber: { value: new Vector3() },
        plus: { value: roles.map(() => new Vector3()) },
        minus: { value: roles.map(() => new Vector3()) },
        hovered: { value: new Vector4(-1, 0, 0, 0) },
        chosen: { value: new Vector4(-1, 0, 0, 0) },
      },
    });
  }

  setTheme(theme: Theme): void {
    const set = (name: string, colour: string): void => {
      (this.uniforms[name]!.value as Vector3).set(...rgb(colour));
    };
    set("paper", theme.paper);
    set("ink", theme.ink);
    set("rule", theme.rule);
    set("notANumber", theme.notANumber);
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
  }
}
