import { expect, test } from "vitest";
import { formatNumber, formatProbability, printNumber, tokenText } from "./format";

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

test("a cell prints what the hover card says, with the digits that there is room for", () => {
  const values = [0.123456, -0.123456, -1.64812, -0.00012345, -0.0012345, 123456.7, -3.40282e38, 1.4e-45];
  expect(values.map((value) => printNumber(value, 7, 4))).toEqual([
    "0.1235",
    "−0.1235",
    "−1.648",
    "−1.2e−4",
    "−0.0012",
    "123457",
    "−3.4e38",
    "1.4e−45",
  ]);
  expect(printNumber(-1.4e-45, 7, 4)).toBe("−1e−45");
  expect(printNumber(-0.123456789, 14, 9)).toBe("−0.123456789");
  expect([Number.NaN, Number.NEGATIVE_INFINITY, 0, -0].map((value) => printNumber(value, 7, 4))).toEqual([
    "NaN",
    "−∞",
    "0",
    "0",
  ]);
});

test("no number is longer than its cell has room for, and none is off by more than its last digit", () => {
  const single = new Float32Array(1);
  const bits = new Uint32Array(single.buffer);
  for (let i = 0; i < 4_000; i++) {
    bits[0] = Math.imul(i, 2654435761) >>> 0;
    const value = single[0] as number;
    if (!Number.isFinite(value)) continue;
    for (const [room, most] of [
      [7, 4],
      [9, 5],
      [14, 9],
    ] as const) {
      const text = printNumber(value, room, most);
      expect(text.length).toBeLessThanOrEqual(room);
      const digits = text.replace(/e.*/, "").replace(/[−.]/g, "").replace(/^0+/, "").length;
      const read = Number(text.replaceAll("−", "-"));
      expect(Math.abs(read - value)).toBeLessThanOrEqual(Math.abs(value) * 5.1 * 10 ** -digits + 1e-45);
    }
  }
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
