import { expect, test } from "vitest";
import { ABSENT, decodeHalf, encodeHalf, MINUS_INFINITY, NOT_A_NUMBER } from "./half";

test("every half float comes back as it was", () => {
  for (let half = 0; half < 65536; half++) {
    const value = decodeHalf(half);
    if (Number.isNaN(value)) expect(encodeHalf(value)).toBe(NOT_A_NUMBER);
    else expect(encodeHalf(value)).toBe(half);
  }
});

test("known numbers decode", () => {
  expect(decodeHalf(0x3c00)).toBe(1);
  expect(decodeHalf(0xc000)).toBe(-2);
  expect(decodeHalf(0x0001)).toBe(2 ** -24);
  expect(decodeHalf(0x7bff)).toBe(65504);
  expect(decodeHalf(MINUS_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
  expect(decodeHalf(ABSENT)).toBe(Number.POSITIVE_INFINITY);
});

test("encoding rounds to the nearest, ties to even", () => {
  expect(encodeHalf(1 + 2 ** -11)).toBe(0x3c00);
  expect(encodeHalf(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(encodeHalf(1e6)).toBe(0x7c00);
  expect(encodeHalf(1.5 * 2 ** -24)).toBe(2);
});
