import { expect, test } from "vitest";
import { weightsOf } from "./simplify-path";

test("a point matters as much as the line would miss it by, and ends always", () => {
  const found = [
    ...weightsOf([
      [0, 0, 0],
      [5, 0, 0],
      [10, 3, 0],
      [20, 0, 0],
    ]),
  ];
  expect(found[0]).toBe(Number.POSITIVE_INFINITY);
  expect(found[3]).toBe(Number.POSITIVE_INFINITY);
  expect(found[2]).toBeCloseTo(3, 5);
  // From (0, 0) to (10, 3), half way: beside (5, 1.5), 1.5 * 10 / sqrt(109) away.
  expect(found[1]).toBeCloseTo(15 / Math.sqrt(109), 5);
});

test("of a straight line only the ends matter", () => {
  const found = weightsOf([
    [0, 0, 0],
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
  ]);
  expect([...found].map((weight) => weight > 1e-6)).toEqual([true, false, false, true]);
});
