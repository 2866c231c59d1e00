/** Half-precision numbers as their bits: decoding by table, encoding by rounding to nearest even.
 *
 *  One pattern has a meaning of its own: positive infinity in the pool marks a cell whose number is not here yet.
 *  Minus infinity is a masked score, minus zero a share that is zero because its score is masked (other zeros have no
 *  sign in the pool); not-a-number is itself.
 */

export const ABSENT = 0x7c00;
export const MINUS_INFINITY = 0xfc00;
export const NOT_A_NUMBER = 0x7e00;
export const MASKED_ZERO = 0x8000;

const decoded = makeTable();
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function makeTable(): Float32Array {
  const table = new Float32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) table[half] = sign * fraction * 2 ** -24;
    else if (exponent < 31) table[half] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
    else table[half] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  }
  return table;
}

export function decodeHalf(half: number): number {
  return decoded[half & 0xffff] as number;
}

export function encodeHalf(value: number): number {
  float[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return NOT_A_NUMBER;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1);
    return sign | (rounded >>> 13);
  }
  const steps = Math.abs(float[0] as number) * 2 ** 24;
  const below = Math.floor(steps);
  const rest = steps - below;
  return sign | (rest > 0.5 || (rest === 0.5 && (below & 1) === 1) ? below + 1 : below);
}
