import { expect, test } from "vitest";
import { glide, releaseSpeed } from "./inertia";

const drag = (speed: number, until = 200) =>
  Array.from({ length: until / 10 + 1 }, (_, at) => ({ x: at * 10 * (speed / 1000), y: 0, time: at * 10 }));

test("a drag let go on the way has the hand's speed", () => {
  const speed = releaseSpeed(drag(600), 205)!;
  expect(speed[0]).toBeCloseTo(600, 6);
  expect(speed[1]).toBe(0);
});

test("a hand that rests before it lets go stops, and so does a slow one", () => {
  expect(releaseSpeed(drag(600), 400)).toBeNull();
  expect(releaseSpeed(drag(40), 205)).toBeNull();
  expect(releaseSpeed([], 10)).toBeNull();
});

test("no glide is faster than can be followed", () => {
  expect(Math.hypot(...releaseSpeed(drag(90_000), 205)!)).toBeCloseTo(4000, 6);
});

test.each([1 / 120, 1 / 60, 1 / 15])(
  "a glide goes as far at %f seconds a frame as at any other",
  (seconds) => {
    let speed: readonly [number, number] | null = [1000, -500];
    let [x, y] = [0, 0];
    for (let frames = 0; speed && frames < 1000; frames++) {
      const step = glide(speed, seconds);
      x += step.way[0];
      y += step.way[1];
      speed = step.speed;
    }
    expect(speed).toBeNull();
    // All the way would be the speed times the decay; the last pixels, too slow to be seen, are left out.
    expect(x).toBeGreaterThan(292);
    expect(x).toBeLessThan(300);
    expect(y).toBeCloseTo(-x / 2, 6);
  },
);
