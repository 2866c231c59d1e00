import { expect, test } from "vitest";
import { parseFrame } from "./frames";
import { parseNpy } from "./npy";

function frame(header: object, numbers: Uint8Array): ArrayBuffer {
  let json = JSON.stringify(header);
  while ((4 + json.length) % 8 !== 0) json += " ";
  const bytes = new Uint8Array(4 + json.length + numbers.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(new TextEncoder().encode(json), 4);
  bytes.set(numbers, 4 + json.length);
  return bytes.buffer;
}

const header = { v: 1, type: "rows", name: "hook_embed", shape: [2, 1], dtype: "f32" };

test("a frame's numbers are read in place, in either precision", () => {
  const values = new Uint8Array(new Float32Array([1.5, -2]).buffer);
  expect([...parseFrame(frame(header, values)).values]).toEqual([1.5, -2]);
  const half = parseFrame(frame({ ...header, dtype: "f16" }, new Uint8Array([0, 0x3c, 0, 0xc0])));
  expect([...half.values]).toEqual([0x3c00, 0xc000]);
});

test("a broken frame is refused in words", () => {
  expect(() => parseFrame(new ArrayBuffer(2))).toThrow(/shorter than its header/);
  expect(() => parseFrame(frame(header, new Uint8Array(4)))).toThrow(/hook_embed ends before its numbers/);
  expect(() => parseFrame(frame({ ...header, v: 2 }, new Uint8Array(8)))).toThrow(/version 2/);
});

test("a .npy file keeps its infinities", () => {
  let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  while ((10 + text.length + 1) % 64 !== 0) text += " ";
  text += "\n";
  const bytes = new Uint8Array(10 + text.length + 8);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes.set(new Uint8Array(new Float32Array([Number.NEGATIVE_INFINITY, 0.25]).buffer), 10 + text.length);
  const { shape, values } = parseNpy(bytes.buffer);
  expect([shape, [...values]]).toEqual([
    [1, 2],
    [Number.NEGATIVE_INFINITY, 0.25],
  ]);
});
