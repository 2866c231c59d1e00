import { expect, test } from "vitest";
import { meant, spreadOf } from "./two-fingers";

const fingers = (...places: readonly (readonly [number, number])[]) =>
  spreadOf(places.map(([x, y]) => ({ x, y })));
const start = fingers([100, 200], [200, 200]);

test("the spread is the middle and the mean distance from it", () => {
  expect(start).toEqual({ x: 150, y: 200, size: 50 });
  expect(fingers([7, 9])).toEqual({ x: 7, y: 9, size: 0 });
});

test.each([
  ["nothing yet", fingers([101, 202], [201, 202]), "undecided"],
  ["apart", fingers([80, 200], [220, 200]), "pinch"],
  ["together", fingers([120, 200], [180, 200]), "pinch"],
  ["apart, while the hand moves", fingers([90, 212], [230, 212]), "pinch"],
  ["up, side by side", fingers([100, 180], [200, 181]), "turn"],
  ["to the left, side by side", fingers([70, 200], [172, 200]), "turn"],
] as const)("%s", (_, now, gesture) => {
  expect(meant(start, now)).toBe(gesture);
});
