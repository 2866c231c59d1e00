import { expect, it, test } from "vitest";
import { isSweep, paceOf, readingTime, shownAt } from "./pace";

const LETTERS = 90;
const SWEPT = 40;

/** Which part is made every hundredth of a second, and how many seconds each takes. */
function secondsOfParts(parts: number): ReadonlyMap<number | string, number> {
  const pace = paceOf(parts, LETTERS, SWEPT);
  const seconds = new Map<number | string, number>();
  for (let time = 0; time <= pace.seconds; time += 0.01) {
    const { part } = shownAt(pace, time / pace.seconds);
    seconds.set(part, (seconds.get(part) ?? 0) + 0.01);
  }
  return seconds;
}

it.each([1, 2, 3, 4, 5, 6, 18, 96])("%i parts are all made, in their order", (parts) => {
  const found = [...secondsOfParts(parts).keys()];
  expect(found).toEqual(["none", ...Array.from({ length: parts }, (_, part) => part), "all"]);
});

test("the first part stays for its whole sentence, the next two for what is new, the rest go by faster and faster", () => {
  const seconds = secondsOfParts(18);
  const [first, second, third, fourth, middle, last] = [0, 1, 2, 3, 10, 17].map((part) => seconds.get(part)!);
  expect(first).toBeCloseTo(readingTime(LETTERS), 1);
  expect(second).toBeCloseTo(third!, 1);
  expect(second).toBeLessThan(first! / 2);
  expect(fourth).toBeLessThan(second!);
  expect(middle).toBeLessThan(fourth!);
  expect(last).toBeCloseTo(second!, 1);
});

test("longer words stay longer, and many parts do not take for ever", () => {
  const of = (parts: number, letters: number) => paceOf(parts, letters, SWEPT).seconds;
  expect(of(6, 180)).toBeGreaterThan(1.6 * of(6, 90));
  expect(of(96, LETTERS)).toBeLessThan(1.5 * of(6, LETTERS));
});

test("one that stands still has all its time, and a sweep is told from the slow ones", () => {
  expect(paceOf(1, LETTERS, SWEPT).showings.map(({ parts }) => parts)).toEqual(["none", [0, 1], "all"]);
  expect(paceOf(18, LETTERS, SWEPT).showings.filter(isSweep)).toHaveLength(1);
  expect(paceOf(5, LETTERS, SWEPT).showings.filter(isSweep)).toHaveLength(0);
});
