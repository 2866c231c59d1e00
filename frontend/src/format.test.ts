import { expect, test } from "vitest";
import { formatNumber, formatProbability, tokenText } from "./format";

test("four significant digits, a true minus sign, and names for what is no number", () => {
  expect([1.64812, -0.000123456, 123456, 0, 12345678, -3e-9].map((value) => formatNumber(value))).toEqual([
    "1.648",
    "−0.0001235",
    "123456",
    "0",
    "1.235e7",
    "−3.000e−9",
  ]);
  expect(
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => formatNumber(value)),
  ).toEqual(["not a number", "∞", "−∞"]);
});

test("a probability never looks like nothing when it is something", () => {
  expect([0.92144, 0, 0.00001, 1].map(formatProbability)).toEqual(["0.9214", "0.0000", "<0.0001", "1.0000"]);
});

test("white space and odd bytes of a token can be seen", () => {
  expect([" once", "\n\n", "a\tb", "\\xe2\\x80", "", "\u200b", "é", "😀"].map(tokenText)).toEqual([
    "␣once",
    "↵↵",
    "a⇥b",
    "\\xe2\\x80",
    "∅",
    "\\u200b",
    "é",
    "😀",
  ]);
});
