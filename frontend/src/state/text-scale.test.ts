import { expect, it } from "vitest";
import { chosenTextScale, scaleOfWindow, textScale, windowHeight } from "./text-scale";

it("grows with the window, between one and two", () => {
  expect([400, 900, 1440, 4000].map(scaleOfWindow)).toEqual([1, 1, 1.5, 2]);
});

it("is what the reader chose, wherever the window has no say", () => {
  windowHeight.value = 1440;
  expect(textScale.value).toBe(1.5);
  chosenTextScale.value = 1.25;
  expect(textScale.value).toBe(1.25);
  chosenTextScale.value = 9;
  expect(textScale.value).toBe(2);
  chosenTextScale.value = null;
  windowHeight.value = 800;
  expect(textScale.value).toBe(1);
});
