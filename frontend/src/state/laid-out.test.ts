import { expect, test } from "vitest";
import { type LaidOut, sameLayout, samePicture } from "./laid-out";

const one: LaidOut = { model: "tiny gpt one", capacity: { target: 8, source: 0 }, heads: "fan" };

test("models whose ids begin with the same word are two pictures", () => {
  expect(samePicture(one, { ...one, model: "tiny gpt two" })).toBe(false);
  expect(samePicture({ ...one, model: "tiny" }, { ...one, model: "tiny gpt" })).toBe(false);
});

test("more room is another layout of the same picture; another arrangement is another picture", () => {
  const roomier = { ...one, capacity: { target: 80, source: 0 } };
  expect([samePicture(one, roomier), sameLayout(one, roomier)]).toEqual([true, false]);
  expect(samePicture(one, { ...one, heads: "board" })).toBe(false);
  expect([sameLayout(one, { ...one }), sameLayout(one, null)]).toEqual([true, false]);
});
