import { expect, test } from "vitest";
import { factors, largest, readPair } from "./pair";

test("products, the largest first, and the rest as one sum", () => {
  const all = factors([1, -2, 0.5, 0], [3, 2, 1, 7]);
  expect(all.map(({ product }) => product)).toEqual([3, -4, 0.5, 0]);
  const { listed, rest } = largest(all, 2);
  expect(listed.map(({ at }) => at)).toEqual([1, 0]);
  expect(rest).toEqual({ count: 2, sum: 0.5 });
});

test("a pair is named by query and key, which the text must have", () => {
  expect(readPair("13.2", 20, 3)).toEqual([13, 2]);
  for (const none of ["", "x.y", "20.2", "13.3", "1"]) expect(readPair(none, 20, 3)).toBeNull();
});
