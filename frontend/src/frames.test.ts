import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { atFrame } from "./frames";

let asked: Map<number, FrameRequestCallback>;

beforeEach(() => {
  asked = new Map();
  let number = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => {
    number += 1;
    asked.set(number, callback);
    return number;
  });
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => asked.delete(frame));
});
afterEach(() => vi.unstubAllGlobals());

function showFrame(at: number): void {
  const now = [...asked.values()];
  asked.clear();
  for (const callback of now) callback(at);
}

test("what time changes is drawn in the same frame, whoever asked first", () => {
  const seen: string[] = [];
  atFrame("draw", () => seen.push("drawn before"));
  atFrame("time", () => {
    seen.push("time");
    atFrame("draw", (now) => seen.push(`drawn at ${now}`));
  });
  showFrame(16);
  expect(seen).toEqual(["time", "drawn before", "drawn at 16"]);
  expect(asked.size).toBe(0);
});

test("who draws on is asked in the next frame, by one request", () => {
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    if (drawn < 3) atFrame("draw", draw);
  };
  atFrame("draw", draw);
  atFrame("time", () => undefined);
  for (const frame of [1, 2, 3]) {
    expect(asked.size).toBe(1);
    showFrame(16 * frame);
    expect(drawn).toBe(frame);
  }
  expect(asked.size).toBe(0);
});

test("one that throws does not lose the others, and what is called off is not called", () => {
  const seen: string[] = [];
  const off = atFrame("time", () => seen.push("time"));
  off();
  expect(asked.size).toBe(0);
  atFrame("draw", () => {
    throw new Error("no picture");
  });
  atFrame("draw", () => seen.push("drawn"));
  expect(() => showFrame(16)).toThrow("no picture");
  showFrame(32);
  expect(seen).toEqual(["drawn"]);
});
