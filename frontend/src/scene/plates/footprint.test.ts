import { expect, test } from "vitest";
import { FIELD_OF_VIEW } from "../camera/camera";
import { footprint } from "./footprint";

const half = 100 * Math.tan(FIELD_OF_VIEW / 2);

test("straight on the window is a rectangle around what is looked at", () => {
  const corners = footprint({ target: [10, 20, -5], distance: 100, azimuth: 0, elevation: 0 }, 2);
  const expected = [
    [10 - 2 * half, 20 - half, -5],
    [10 + 2 * half, 20 - half, -5],
    [10 + 2 * half, 20 + half, -5],
    [10 - 2 * half, 20 + half, -5],
  ];
  corners.forEach((corner, at) => {
    for (const axis of [0, 1, 2]) expect(corner[axis]).toBeCloseTo(expected[at]![axis]!, 6);
  });
});

test("from the left more of the right is seen, and what never ends is cut off", () => {
  const [topLeft, topRight] = footprint({ target: [0, 0, 0], distance: 100, azimuth: -60, elevation: 0 }, 1);
  expect(-topLeft![0]).toBeLessThan(topRight![0]);
  for (const corner of footprint({ target: [0, 0, 0], distance: 100, azimuth: -78, elevation: 70 }, 2))
    for (const value of corner) expect(Math.abs(value)).toBeLessThan(5000);
});
