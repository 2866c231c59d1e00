import { expect, test } from "vitest";
import type { Sheet } from "../plates/sheets";
import { eachTile, eachTileOf, stridesOf } from "./sheet-tiles";

const sheet = {
  levels: [
    { rows: 300, columns: 260, tilesDown: 2, tilesAcross: 2, firstTile: 5 },
    { rows: 150, columns: 130, tilesDown: 1, tilesAcross: 1, firstTile: 9 },
  ],
} as unknown as Sheet;

test("a level is cut into tiles, of which the last of a row and of a column are smaller", () => {
  const found: number[][] = [];
  eachTile(sheet, (...tile) => found.push(tile));
  expect(found).toEqual([
    [5, 0, 0, 0, 256, 256],
    [6, 0, 0, 1, 4, 256],
    [7, 0, 1, 0, 256, 44],
    [8, 0, 1, 1, 4, 44],
    [9, 1, 0, 0, 130, 150],
  ]);
});

test("a rectangle is cut along the tiles, and at the sheet's edge", () => {
  const found: unknown[] = [];
  eachTileOf(sheet, { level: 0, top: 250, left: 0, rows: 100, columns: 8 }, (tile, row, column, inTile) =>
    found.push([tile, row, column, inTile]),
  );
  expect(found).toEqual([
    [5, 0, 0, { top: 250, left: 0, bottom: 256, right: 8 }],
    [7, 1, 0, { top: 0, left: 0, bottom: 44, right: 8 }],
  ]);
  eachTileOf(sheet, { level: 2, top: 0, left: 0, rows: 1, columns: 1 }, () => expect.unreachable());
});

test("the last axis is packed", () => {
  expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
});
