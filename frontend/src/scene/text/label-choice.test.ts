import { expect, test } from "vitest";
import { type Box, Placement } from "./label-choice";

const box = (left: number, top: number): Box => ({ left, top, right: left + 80, bottom: top + 15 });

test("what would touch a label already there yields", () => {
  const placement = new Placement();
  expect(placement.place(box(100, 100), 800, 600)).toBe(true);
  expect(placement.place(box(150, 110), 800, 600)).toBe(false);
  expect(placement.place(box(181, 100), 800, 600)).toBe(true);
  expect(placement.place(box(100, 116), 800, 600)).toBe(true);
});

test("no label is cut off by the window", () => {
  expect(new Placement().place(box(750, 100), 800, 600)).toBe(false);
  expect(new Placement().place(box(-10, 100), 800, 600)).toBe(false);
});
