import { expect, test } from "vitest";
import type { Tile } from "../../net/tiles";
import { decodeHalf, encodeHalf } from "../../scene/values/half";
import { joined, levelFor, pictureOf, tilesOf, valueIn } from "./matrix-part";

/** A tile that holds row * 1000 + column of its matrix, halved by its scale. */
function tile(row: number, column: number, rows: number, columns: number): Tile {
  const values = Uint16Array.from({ length: rows * columns }, (_, at) =>
    encodeHalf((row + Math.floor(at / columns)) / 4 + (column + (at % columns)) / 1024),
  );
  return { rows, columns, values, scale: 2 };
}

test("a number takes at most about a pixel", () => {
  expect([4, 1, 0.6, 0.5, 0.25, 0.1].map(levelFor)).toEqual([0, 0, 0, 1, 2, 3]);
});

test("tiles cover what is in view", () => {
  const cells = { top: 250, left: 0, bottom: 260, right: 256 };
  expect(tilesOf(cells, 0).map(({ row, column }) => [row, column])).toEqual([
    [0, 0],
    [1, 0],
  ]);
  expect(tilesOf(cells, 1)).toHaveLength(1);
});

test("a picture is joined across tiles, and what has not come is missing", () => {
  const tiles = new Map([
    ["0 0 0", tile(0, 0, 256, 256)],
    ["0 1 0", tile(256, 0, 44, 256)],
  ]);
  const picture = joined({ top: 254, left: 250, bottom: 258, right: 260 }, 0, tiles, null);
  expect([picture.rows, picture.columns]).toEqual([4, 10]);
  for (const [row, column] of [
    [254, 250],
    [255, 255],
    [257, 252],
  ] as const)
    expect(valueIn(picture, row, column)).toBeCloseTo(2 * (row / 4 + column / 1024), 0);
  expect(valueIn(picture, 254, 257)).toBeNull();
  expect(valueIn(picture, 0, 0)).toBeNull();
});

test("masked cells that hold nothing are marked, others are left", () => {
  const values = Uint16Array.from([1, 0, 0.5, 0.5].map(encodeHalf));
  const tiles = new Map([["0 0 0", { rows: 2, columns: 2, values, scale: 1 }]]);
  const causal = (query: number, key: number) => key > query;
  const picture = joined({ top: 0, left: 0, bottom: 2, right: 2 }, 0, tiles, causal);
  expect([...picture.values].map(decodeHalf)).toEqual([1, Number.NEGATIVE_INFINITY, 0.5, 0.5]);
});

test("a whole matrix is its own picture", () => {
  const picture = pictureOf([
    [0.25, null],
    [0.5, 0.75],
  ]);
  expect(valueIn(picture, 1, 1)).toBe(0.75);
  expect(valueIn(picture, 0, 1)).toBe(Number.NEGATIVE_INFINITY);
});
