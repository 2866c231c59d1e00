import { describe, expect, it } from "vitest";
import { fitting } from "./matrix-paint";

describe("a number in a narrow cell", () => {
  it.each([
    ["−0.42", 5, "−0.42"],
    ["−0.42", 4, "−.42"],
    ["−0.42", 3, "−.4"],
    ["0.07", 3, ".07"],
    ["−1.25", 4, "−1.2"],
    ["12", 1, ""],
    ["−0.42", 2, ""],
  ])("%s in %i characters is %s", (number, room, text) => {
    expect(fitting(number, room)).toBe(text);
  });
});
