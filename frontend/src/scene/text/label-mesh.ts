/** Labels: text rasterised once into an atlas by the browser (so that every script has glyphs), drawn as
 *  rectangles of constant size on the screen, in one call. */

import {
  type BufferGeometry,
  CanvasTexture,
  GLSL3,
  LinearFilter,
  Mesh,
  RawShaderMaterial,
  Vector2,
  Vector3,
} from "three";
import { CORNER, Quads } from "../plates/quads";
import { rgb, type Theme } from "../themes";

/** `plain` are words, `plate` short names, `quiet` a short name beside words; `part` is a section within a block. */
export type LabelStyle = "title" | "line" | "region" | "part" | "plain" | "plate" | "quiet" | "axis";

const SERIF = '"Source Serif 4", "Source Serif Pro", Georgia, serif';
const MONO = '"IBM Plex Mono", "DejaVu Sans Mono", monospace';

/** Weight, pixels and face; height of the line in pixels; 1 for soft ink. All at a text scale of 1. */
const fonts: Record<
  LabelStyle,
  { weight: number; size: number; face: string; height: number; tone: number }
> = {
  title: { weight: 600, size: 22, face: SERIF, height: 26, tone: 0 },
  line: { weight: 400, size: 14, face: SERIF, height: 18, tone: 0 },
  region: { weight: 600, size: 15, face: SERIF, height: 20, tone: 1 },
  part: { weight: 600, size: 13.5, face: SERIF, height: 17, tone: 1 },
  plain: { weight: 400, size: 13, face: SERIF, height: 16, tone: 0 },
  plate: { weight: 400, size: 11, face: MONO, height: 15, tone: 0 },
  quiet: { weight: 400, size: 10.5, face: MONO, height: 16, tone: 1 },
  axis: { weight: 400, size: 11, face: MONO, height: 14, tone: 0 },
};
const ATLAS = 2048;
const MAXIMUM = 600;

const vertexShader = /* glsl */ `
precision highp float; precision highp int;
in vec4 rectangle; in vec4 place; in vec2 look;
uniform vec2 windowSize;
out vec2 vAt; flat out float fTone;${CORNER}
void main() {
  vec2 p = cornerOf(gl_VertexID);
  fTone = look.x;
  vec2 offset = look.y > .5 ? vec2(p.y * rectangle.w, (1. - p.x) * rectangle.z) : p * rectangle.zw;
  vec2 at = (rectangle.xy + offset) / windowSize;
  vAt = (place.xy + p * place.zw) / ${ATLAS}.;
  gl_Position = vec4(at.x * 2. - 1., 1. - at.y * 2., 0., 1.);
}`;
const fragmentShader = /* glsl */ `
precision highp float;
in vec2 vAt; flat in float fTone;
uniform sampler2D atlas; uniform vec3 paper; uniform vec3 ink; uniform vec3 soft;
out vec4 colour;
void main() {
  float cover = texture(atlas, vAt).a * (fTone > 1.5 ? .45 : 1.);
  colour = vec4(mix(paper, fTone > .5 ? soft : ink, cover), mix(.82, 1., cover));
}`;

interface Entry {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The canvas that holds every text drawn lately. */
class Atlas {
  readonly canvas = document.createElement("canvas");
  readonly texture: CanvasTexture;
  private readonly context: CanvasRenderingContext2D;
  private entries = new Map<string, Entry>();
  private widths = new Map<string, number>();
  private x = 0;
  private y = 0;
  private shelf = 0;
  pixelRatio = 1;
  scale = 1;

  constructor() {
    this.canvas.width = ATLAS;
    this.canvas.height = ATLAS;
    const context = this.canvas.getContext("2d");
    if (!context) throw new Error("This browser gives no 2-D canvas: labels cannot be drawn.");
    this.context = context;
    this.texture = new CanvasTexture(this.canvas);
    this.texture.flipY = false;
    this.texture.premultiplyAlpha = false;
    this.texture.generateMipmaps = false;
    this.texture.minFilter = LinearFilter;
    this.texture.magFilter = LinearFilter;
  }

  clear(): void {
    this.context.clearRect(0, 0, ATLAS, ATLAS);
    this.entries.clear();
    this.widths.clear();
    this.x = this.y = this.shelf = 0;
    this.texture.needsUpdate = true;
  }

  /** Width in CSS pixels, backing included. */
  width(text: string, style: LabelStyle): number {
    const key = `${style}|${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.context.font = fontOf(style, this.scale);
      width = Math.ceil(this.context.measureText(text).width) + 4;
      this.widths.set(key, width);
    }
    return width;
  }

  entry(text: string, style: LabelStyle): Entry {
    const key = `${style}|${text}`;
    const known = this.entries.get(key);
    if (known) return known;
    const ratio = this.pixelRatio;
    const width = Math.min(ATLAS - 2, Math.ceil(this.width(text, style) * ratio));
    const height = Math.ceil(fonts[style].height * this.scale * ratio);
    if (this.x + width + 2 > ATLAS) {
      this.x = 0;
      this.y += this.shelf + 2;
      this.shelf = 0;
    }
    if (this.y + height + 2 > ATLAS) this.clear();
    const entry = { x: this.x, y: this.y, width, height };
    this.context.save();
    this.context.scale(ratio, ratio);
    this.context.font = fontOf(style, this.scale);
    this.context.textBaseline = "middle";
    this.context.fillStyle = "#000";
    this.context.fillText(text, this.x / ratio + 2, (this.y + height / 2) / ratio + 0.5);
    this.context.restore();
    this.x += width + 2;
    this.shelf = Math.max(this.shelf, height);
    this.entries.set(key, entry);
    this.texture.needsUpdate = true;
    return entry;
  }
}

export class LabelMesh {
  readonly mesh: Mesh<BufferGeometry, RawShaderMaterial>;
  private readonly atlas = new Atlas();
  private readonly labels = new Quads({ rectangle: 4, place: 4, look: 2 });

  constructor() {
    const material = new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader,
      uniforms: {
        atlas: { value: this.atlas.texture },
        windowSize: { value: new Vector2(1, 1) },
        paper: { value: new Vector3() },
        ink: { value: new Vector3() },
        soft: { value: new Vector3() },
      },
      transparent: true,
      depthTest: false,
      depthWrite: false,
    });
    this.mesh = new Mesh(this.labels.geometry, material);
    this.mesh.frustumCulled = false;
  }

  get count(): number {
    return this.labels.count;
  }

  begin(width: number, height: number, pixelRatio: number): void {
    (this.mesh.material.uniforms.windowSize!.value as Vector2).set(width, height);
    if (this.atlas.pixelRatio !== pixelRatio) {
      this.atlas.pixelRatio = pixelRatio;
      this.atlas.clear();
    }
    this.labels.begin();
  }

  width(text: string, style: LabelStyle): number {
    return this.atlas.width(text, style);
  }

  height(style: LabelStyle): number {
    return fonts[style].height * this.atlas.scale;
  }

  /** How large all words are, against the usual. */
  setScale(scale: number): void {
    if (this.atlas.scale === scale) return;
    this.atlas.scale = scale;
    this.atlas.clear();
  }

  /** Adds a label with its upper left corner here, in CSS pixels; an upright one is turned to read upward, a faint one
   *  hardly shows. */
  add(
    text: string,
    style: LabelStyle,
    x: number,
    y: number,
    { upright = false, faint = false }: { readonly upright?: boolean; readonly faint?: boolean } = {},
  ): void {
    if (this.labels.count >= MAXIMUM) return;
    const entry = this.atlas.entry(text, style);
    const ratio = this.atlas.pixelRatio;
    const snap = (value: number): number => Math.round(value * ratio) / ratio;
    this.labels.add(
      ...[snap(x), snap(y), entry.width / ratio, entry.height / ratio],
      ...[entry.x, entry.y, entry.width, entry.height],
      ...[faint ? 2 : fonts[style].tone, upright ? 1 : 0],
    );
  }

  end(): void {
    this.labels.end();
  }

  /** The fonts have arrived, or the graphics card has forgotten the atlas. */
  forget(): void {
    this.atlas.clear();
  }

  setTheme(theme: Theme): void {
    for (const name of ["paper", "ink", "soft"] as const)
      (this.mesh.material.uniforms[name]!.value as Vector3).set(...rgb(theme[name]));
  }

  dispose(): void {
    this.atlas.texture.dispose();
    this.labels.dispose();
    this.mesh.material.dispose();
  }
}

const fontOf = (style: LabelStyle, scale: number): string =>
  `${fonts[style].weight} ${fonts[style].size * scale}px ${fonts[style].face}`;

/** Loads the faces that labels use; resolves whether or not they exist. */
export async function loadLabelFonts(): Promise<void> {
  const styles = Object.keys(fonts) as LabelStyle[];
  await Promise.allSettled(styles.map((style) => document.fonts.load(fontOf(style, 1))));
}
