import { expect, test } from "vitest";
import type { LensTable } from "../../net/lenses";
import { asText, sorted } from "./lens-table";

const TABLE: LensTable = {
  header: ["token", "value"],
  rows: [
    [" b", 2],
    ["a\t", null],
    ["c", -3],
    ["d", 10],
  ],
  places: [null, null, null, null],
  complete: true,
  along: null,
};

test("numbers sort as numbers, words as words, what is missing last", () => {
  expect(sorted(TABLE, null)).toEqual([0, 1, 2, 3]);
  expect(sorted(TABLE, { column: 1, down: true })).toEqual([3, 0, 2, 1]);
  expect(sorted(TABLE, { column: 1, down: false })).toEqual([2, 0, 3, 1]);
  expect(sorted(TABLE, { column: 0, down: true })).toEqual([3, 2, 1, 0]);
});

test("a copy is what a spreadsheet takes", () => {
  expect(asText(TABLE, [3, 1])).toBe("token\tvalue\nd\t10\na \t");
});
