import { expect, test } from "vitest";
import { readAs } from "./read-as";

const token = (text: string, start: number, end: number) => ({ id: 0, text, start, end });
const told = (text: string, ...tokens: ReturnType<typeof token>[]) =>
  readAs(text, tokens).map(({ word, reads }) => [word, reads]);

test("a word that is read as others is told, capitals that are dropped are not", () => {
  const tokens = [
    token(" she", 0, 3),
    token(" did", 3, 7),
    token(" not", 9, 10),
    token(" see.", 10, 15),
    token("</s>", 15, 15),
  ];
  expect(told("She didn't see.", ...tokens)).toEqual([["didn't", "did not"]]);
  expect(readAs("She didn't see.", tokens)[0]!.tokens).toEqual([1, 2]);
});

test("what spells itself is not told, in pieces, bytes or together", () => {
  expect(told("playing", token("play", 0, 4), token("##ing", 4, 7))).toEqual([]);
  expect(told("é a", token("\\xc3", 0, 1), token("\\xa9", 1, 2), token(" a", 2, 4))).toEqual([]);
  expect(told("of the", token("of the", 0, 6))).toEqual([]);
});

test("a word without a piece, or without its accent, is told", () => {
  expect(told("zq à", token("<unk>", 0, 2), token(" a", 2, 5))).toEqual([
    ["zq", "<unk>"],
    ["à", "a"],
  ]);
});

test("tokens that were not cut from the text tell nothing", () => {
  expect(told("She didn't", token(" she", 0, 3), token(" did", 3, 7), token(" not", 7, 11))).toEqual([]);
});
