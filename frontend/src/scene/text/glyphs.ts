/** The characters of printed numbers, as a texture of distances to their outlines: sharp at every size, and with room
 *  for a rim of paper that keeps them readable on any colour. */

import {
  DataTexture,
  LinearFilter,
  LinearMipmapLinearFilter,
  RedFormat,
  type Texture,
  UnsignedByteType,
} from "three";

/** Sixteen, so that a character takes four bits. */
export const GLYPHS = "0123456789−.e∞Na";
/** Texels of the font's size, of a character's width, and around it. */
export const EM = 64;
export const ADVANCE = 38;
export const RIM = 8;
/** Texels of a character with its rim; they stand in two rows. */
export const TILE = { width: ADVANCE + 2 * RIM, height: 64 } as const;
export const ACROSS = 8;
const FONT = `600 ${EM}px "IBM Plex Mono", "DejaVu Sans Mono", monospace`;
const FAR = 1e10;

/** A text of up to sixteen characters as two words of four bits a character.
 *  @throws RangeError for a character that no number has. */
export function packText(text: string): readonly [number, number] {
  const words: [number, number] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const glyph = GLYPHS.indexOf(text[i] as string);
    if (glyph < 0 || i >= 16) throw new RangeError(`“${text}” cannot be printed in a cell`);
    words[i >> 3] = ((words[i >> 3] as number) | (glyph << (4 * (i & 7)))) >>> 0;
  }
  return words;
}

export async function loadGlyphFont(): Promise<void> {
  await document.fonts.load(FONT, GLYPHS);
}

/** Draws the characters with the browser's own hand, and measures. */
export function makeGlyphTexture(): Texture {
  const [width, height] = [TILE.width * ACROSS, TILE.height * (GLYPHS.length / ACROSS)];
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("This browser gives no 2-D canvas: numbers cannot be printed.");
  pen.font = FONT;
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  // Digits stand in the middle of their tile, between baseline and cap height.
  const { actualBoundingBoxAscent: ascent } = pen.measureText("0");
  for (const [i, glyph] of [...GLYPHS].entries()) {
    const left = (i % ACROSS) * TILE.width;
    const top = Math.floor(i / ACROSS) * TILE.height;
    pen.fillText(glyph, left + TILE.width / 2, top + TILE.height / 2 + ascent / 2);
  }
  const cover = pen.getImageData(0, 0, width, height).data;
  const texture = new DataTexture(
    distances(cover, width, height),
    width,
    height,
    RedFormat,
    UnsignedByteType,
  );
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}

/** Signed distances from covered shares (the alpha of RGBA pixels): 0.5 on the outline, 1 a rim's width inside. */
function distances(rgba: Uint8ClampedArray, width: number, height: number): Uint8Array<ArrayBuffer> {
  const outside = new Float64Array(width * height);
  const inside = new Float64Array(width * height);
  for (let i = 0; i < outside.length; i++) {
    const share = (rgba[i * 4 + 3] as number) / 255;
    // A pixel that the outline runs through is as far from it as it is covered.
    outside[i] = share === 1 ? 0 : share === 0 ? FAR : Math.max(0, 0.5 - share) ** 2;
    inside[i] = share === 1 ? FAR : share === 0 ? 0 : Math.max(0, share - 0.5) ** 2;
  }
  squaredDistances(outside, width, height);
  squaredDistances(inside, width, height);
  const result = new Uint8Array(width * height);
  for (let i = 0; i < result.length; i++) {
    const distance = Math.sqrt(inside[i] as number) - Math.sqrt(outside[i] as number);
    result[i] = Math.max(0, Math.min(255, Math.round(255 * (0.5 + distance / (2 * RIM)))));
  }
  return result;
}

/** The least of value plus squared distance, over all cells, for each cell: rows, then columns
 *  (Felzenszwalb and Huttenlocher, Distance transforms of sampled functions, 2012, algorithm 1). */
function squaredDistances(grid: Float64Array, width: number, height: number): void {
  const longest = Math.max(width, height);
  const line = new Float64Array(longest);
  const apexes = new Int32Array(longest);
  const borders = new Float64Array(longest + 1);
  const along = (start: number, step: number, count: number): void => {
    for (let i = 0; i < count; i++) line[i] = grid[start + i * step] as number;
    const crossing = (a: number, b: number): number =>
      ((line[b] as number) + b * b - (line[a] as number) - a * a) / (2 * (b - a));
    let last = 0;
    apexes[0] = 0;
    borders[0] = -FAR;
    borders[1] = FAR;
    for (let i = 1; i < count; i++) {
      let border = crossing(apexes[last] as number, i);
      while (border <= (borders[last] as number)) border = crossing(apexes[--last] as number, i);
      apexes[++last] = i;
      borders[last] = border;
      borders[last + 1] = FAR;
    }
    for (let i = 0, at = 0; i < count; i++) {
      while ((borders[at + 1] as number) < i) at++;
      const apex = apexes[at] as number;
      grid[start + i * step] = (line[apex] as number) + (i - apex) ** 2;
    }
  };
  for (let y = 0; y < height; y++) along(y * width, 1, width);
  for (let x = 0; x < width; x++) along(x, width, height);
}
