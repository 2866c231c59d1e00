/** Reads NumPy's .npy files of float32: unlike JSON they carry infinities and not-a-number as themselves. */

export interface Numbers {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** @throws RangeError when the file is no .npy of little-endian float32 in C order. */
export function parseNpy(file: ArrayBuffer): Numbers {
  const bytes = new Uint8Array(file);
  if (bytes[0] !== 0x93 || bytes[1] !== 0x4e) throw new RangeError("the server's answer is no .npy file");
  const wide = (bytes[6] ?? 1) >= 2;
  const view = new DataView(file);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + length;
  const header = new TextDecoder().decode(bytes.subarray(start - length, start));
  if (!/'descr':\s*'<f4'/.test(header) || /'fortran_order':\s*True/.test(header))
    throw new RangeError(`the .npy file is not float32 in C order: ${header.trim()}`);
  const inner = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "";
  const shape = inner
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "")
    .map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: new Float32Array(file.slice(start, start + 4 * count)) };
}
