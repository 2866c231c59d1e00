import { expect, test } from "vitest";
import type { Token } from "../net/types";
import { behindMasks } from "./plan";

const MASK = 3;
const mark = (id: number): Token => ({ id, text: "", start: 0, end: 0 });
const word = (id: number): Token => ({ id, text: `w${id}`, start: 0, end: 2 });
const first = [mark(1), word(10), word(11), mark(2)];
const second = [mark(1), word(20), word(21), word(22), mark(2)];
const ids = (found: ReadonlyMap<number, Token>) => [...found].map(([at, { id }]) => [at, id]);

test("what stands behind a mask is known again from the text", () => {
  expect(ids(behindMasks([first], [1, 10, MASK, 2], MASK))).toEqual([[2, 11]]);
  expect(ids(behindMasks([first], [1, 10, MASK], MASK))).toEqual([]);
  expect(ids(behindMasks([first], [1, 99, MASK, 2], MASK))).toEqual([]);
});

test.each([
  ["one mark between", [1, 10, MASK, 2, 20, MASK, 22, 2], 5],
  ["two marks between", [1, 10, MASK, 2, 2, 20, MASK, 22, 2], 6],
])("of two texts read together, with %s", (_, tokens, at) => {
  expect(ids(behindMasks([first, second], tokens, MASK))).toEqual([
    [2, 11],
    [at, 21],
  ]);
});

test("a mask that was typed stands for no other token", () => {
  expect(ids(behindMasks([[mark(1), word(MASK), mark(2)]], [1, MASK, 2], MASK))).toEqual([]);
});
