import { expect, test } from "vitest";
import { extent, orderedHeads } from "./board-order";

const measures = {
  entropy: [
    [2, 0.5],
    [null, 3],
  ],
};
const places = (order: { measure: string | null; upward: boolean }, least: number | null = null) =>
  orderedHeads(2, 2, measures, order, least).map(({ row, head }) => `${row}.${head}`);

test("by place, block after block", () => {
  expect(places({ measure: null, upward: false })).toEqual(["0.0", "0.1", "1.0", "1.1"]);
});

test("by a measure, the largest or the least first, the unmeasured last", () => {
  expect(places({ measure: "entropy", upward: false })).toEqual(["1.1", "0.0", "0.1", "1.0"]);
  expect(places({ measure: "entropy", upward: true })).toEqual(["0.1", "0.0", "1.1", "1.0"]);
});

test("below the bound left out", () => {
  expect(places({ measure: "entropy", upward: false }, 1)).toEqual(["1.1", "0.0"]);
});

test("what a measure reaches over", () => {
  expect(extent(measures.entropy)).toEqual([0.5, 3]);
  expect(extent(undefined)).toBeNull();
});
