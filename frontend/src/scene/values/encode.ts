/** From numbers to what the graphics card keeps of them: four shares of colour, a byte each.
 *
 *  A cell's colour is paper with some of another colour in it, so it is stored as how much there is of each: positive
 *  hue, negative hue, grey (masked; half as much for "not here yet"), not-a-number. Shares may be averaged, so the
 *  card's own filtering gives the true mean colour of the cells under a pixel in one look-up, where averaging the
 *  numbers would let +1 and -1 vanish. The colour scale is in the shares: another scale means encoding again, which
 *  costs a look-up a cell.
 */

import { ABSENT, decodeHalf, MASKED_ZERO, MINUS_INFINITY } from "./half";

/** Bytes in memory order: positive, negative, grey, not-a-number (little-endian words). */
export const ABSENT_SHARES = 0x00820000;
export const MASKED_SHARES = 0x00ff0000;
export const NOT_A_NUMBER_SHARES = 0xff000000;

/** Shares of a half float; `inverse` is one over the value of full colour. */
export function sharesOf(half: number, inverse: number): number {
  if (half === MASKED_ZERO) return MASKED_SHARES;
  const value = decodeHalf(half);
  const size = Math.abs(value) * inverse;
  if (size < 1) {
    const share = Math.round(size * 255);
    return half & 0x8000 ? share << 8 : share;
  }
  if (half === ABSENT) return ABSENT_SHARES;
  if (half === MINUS_INFINITY) return MASKED_SHARES;
  if (Number.isNaN(value)) return NOT_A_NUMBER_SHARES;
  return half & 0x8000 ? 0xff00 : 0xff;
}

const TABLES = 96;
/** From this many cells on, a table for the scale pays. */
const WORTH_A_TABLE = 20_000;

/** Encodes many cells, with one table a scale. */
export class Encoder {
  private readonly tables = new Map<number, Uint32Array>();

  /** Writes a rectangle of `source` (rows of `stride`) into `target` (rows of `targetStride`). */
  encode(
    source: Uint16Array,
    from: { start: number; stride: number },
    target: Uint32Array,
    to: { start: number; stride: number },
    size: { width: number; height: number },
    inverse: number,
  ): void {
    const table = this.table(inverse, size.width * size.height);
    for (let y = 0; y < size.height; y++) {
      const [a, b] = [from.start + y * from.stride, to.start + y * to.stride];
      for (let x = 0; x < size.width; x++) {
        const half = source[a + x] as number;
        target[b + x] = table ? (table[half] as number) : sharesOf(half, inverse);
      }
    }
  }

  private table(inverse: number, cells: number): Uint32Array | null {
    const known = this.tables.get(inverse);
    if (known) return known;
    if (cells < WORTH_A_TABLE) return null;
    const table = new Uint32Array(65536);
    for (let half = 0; half < 65536; half++) table[half] = sharesOf(half, inverse);
    if (this.tables.size >= TABLES) this.tables.delete(this.tables.keys().next().value as number);
    this.tables.set(inverse, table);
    return table;
  }
}
