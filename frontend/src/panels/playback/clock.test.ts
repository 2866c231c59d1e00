import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Clock, makeClock } from "./clock";

let asked: Map<number, FrameRequestCallback>;
let number: number;

beforeEach(() => {
  asked = new Map();
  number = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => {
    number += 1;
    asked.set(number, callback);
    return number;
  });
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => asked.delete(frame));
  vi.spyOn(performance, "now").mockReturnValue(0);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function showFrame(at: number): void {
  const now = [...asked.values()];
  asked.clear();
  for (const callback of now) callback(at);
}

test("woken in every tick, it still asks for one frame at a time, and time advances", () => {
  let time = 0;
  const clock: Clock = makeClock((seconds) => {
    time += seconds;
    clock.wake();
    return time < 0.2;
  });
  clock.wake();
  clock.wake();
  for (let at = 16; asked.size > 0; at += 16) {
    expect(asked.size).toBe(1);
    showFrame(at);
  }
  expect(time).toBeCloseTo(0.208);
});

test("it rests after a last tick, and can be woken again", () => {
  let ticks = 0;
  const clock = makeClock(() => {
    ticks += 1;
    return false;
  });
  clock.wake();
  showFrame(16);
  expect(asked.size).toBe(0);
  clock.wake();
  showFrame(32);
  expect(ticks).toBe(2);
});

test("stopped in a tick, it asks for nothing more", () => {
  const clock: Clock = makeClock(() => {
    clock.stop();
    return true;
  });
  clock.wake();
  showFrame(16);
  expect(asked.size).toBe(0);
});
