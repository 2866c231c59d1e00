import { expect, test } from "vitest";
import { parseThumbnails } from "./thumbnails";

function file(header: object, numbers: readonly number[]): ArrayBuffer {
  const text = JSON.stringify(header);
  const length = Math.ceil((text.length + 4) / 8) * 8 - 4;
  const bytes = new Uint8Array(4 + length + numbers.length * 2);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes.set(new TextEncoder().encode(text.padEnd(length)), 4);
  bytes.set(new Uint8Array(Uint16Array.from(numbers).buffer), 4 + length);
  return bytes.buffer;
}

const plate = (name: string, index: number[], rows: number, cols: number, offset: number) => ({
  name,
  index,
  rows,
  cols,
  level: 3,
  offset,
  scale: 1,
});

test("every plate's thumbnail is the one tile of its coarsest level", () => {
  const plates = [plate("W_E", [], 1, 2, 0), plate("blocks.0.attn.W_Q", [1], 2, 1, 4)];
  const found = parseThumbnails(file({ v: 1, type: "thumbnails", plates }, [10, 11, 12, 13]));
  expect(found.map(({ name, index, level, row, col }) => [name, index, level, row, col])).toEqual([
    ["W_E", [], 3, 0, 0],
    ["blocks.0.attn.W_Q", [1], 3, 0, 0],
  ]);
  expect(found.map(({ shape, values }) => [shape, [...values]])).toEqual([
    [
      [1, 2],
      [10, 11],
    ],
    [
      [2, 1],
      [12, 13],
    ],
  ]);
});

test("a file that is cut off, or of another version, is refused", () => {
  expect(() => parseThumbnails(new ArrayBuffer(2))).toThrow("within their header");
  expect(() => parseThumbnails(file({ v: 1, plates: [plate("W_E", [], 1, 2, 0)] }, [10]))).toThrow("W_E");
  expect(() => parseThumbnails(file({ v: 2, plates: [] }, []))).toThrow("version 2");
});
