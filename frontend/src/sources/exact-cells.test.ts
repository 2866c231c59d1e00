import { expect, test } from "vitest";
import { neighbourhood } from "./exact-cells";

test("a cell is fetched with its neighbours along the last two axes", () => {
  const { start, stop, inner } = neighbourhood([3, 40, 31]);
  expect([start, stop]).toEqual([
    [3, 32, 0],
    [4, 64, 32],
  ]);
  expect(inner).toEqual([0, 8, 31]);
  expect(neighbourhood([33])).toEqual({ start: [32], stop: [64], inner: [1] });
});
