/** PNG files that say how large they are on paper. */

const INCH = 0.0254;
/** The signature of a PNG and its first chunk, the header, which has a fixed length (W3C PNG, 5.2 and 11.2.1). */
const AFTER_HEADER = 8 + 25;

/** The same picture with its pixels a metre in it (W3C PNG, 11.3.4.3 pHYs), so that it is printed at its size. */
export function withDensity(png: Uint8Array, dotsAnInch: number): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  const dots = Math.round(dotsAnInch / INCH);
  view.setUint32(0, 9);
  chunk.set(new TextEncoder().encode("pHYs"), 4);
  view.setUint32(8, dots);
  view.setUint32(12, dots);
  view.setUint8(16, 1);
  view.setUint32(17, checksum(chunk.subarray(4, 17)));
  const whole = new Uint8Array(png.length + chunk.length);
  whole.set(png.subarray(0, AFTER_HEADER));
  whole.set(chunk, AFTER_HEADER);
  whole.set(png.subarray(AFTER_HEADER), AFTER_HEADER + chunk.length);
  return whole;
}

/** The cyclic redundancy check of a chunk (W3C PNG, annex D). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
