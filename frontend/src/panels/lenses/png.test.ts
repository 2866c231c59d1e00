import { expect, test } from "vitest";
import { checksum, withDensity } from "./png";

test("the checksum is the one of PNG: the end of every file is known", () => {
  expect(checksum(new TextEncoder().encode("IEND"))).toBe(0xae426082);
});

test("the density is the second chunk", () => {
  const png = Uint8Array.from({ length: 40 }, (_, at) => at);
  const whole = withDensity(png, 288);
  expect(whole.length).toBe(61);
  expect([...whole.subarray(0, 33)]).toEqual([...png.subarray(0, 33)]);
  expect(new TextDecoder().decode(whole.subarray(37, 41))).toBe("pHYs");
  expect(new DataView(whole.buffer).getUint32(41)).toBe(11339);
  expect([...whole.subarray(54)]).toEqual([...png.subarray(33)]);
});
