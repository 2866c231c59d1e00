import { expect, test } from "vitest";
import { factors, largest, readPair } from "./pair";

test("products, the largest first, and the rest as one sum", () => {
  const all = factors([1, -2, 0.5, 0], [3, 2, 1, 7]);
  expect(all.map(({ product }) => product)).toEqual([3, -4, 0.5, 0]);
  const { listed, rest } = largest(all, 2);
  expect(listed.map(({ at }) => at)).toEqual([1, 0]);
  expect(rest).toEqual({ count: 2, sum: 0.5 });
});

test("a pair is named by query and key", () => {
  expect(readPair("13.2", 20)).toEqual([13, 2]);
  expect(readPair("", 20)).toEqual([19, 0]);
  expect(readPair("x.y", 1)).toEqual([0, 0]);
});
