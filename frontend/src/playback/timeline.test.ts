import { computed, signal } from "@preact/signals";
import { expect, test } from "vitest";
import { cellTrack } from "./cell/cell-track";
import { perform } from "./cell/flight";
import { rehearse } from "./cell/rehearse";
import type { Sum } from "./cell/script";
import { Timeline } from "./timeline";
import { hold, inARow, over, placeAt, sequence, type Track, timeOf } from "./track";

const cell = { tensor: "out", index: [7] };
const number = (tensor: string, at: number, value: number) => ({ tensor, index: [at], value });
const sum: Sum = {
  merging: "Each pair is multiplied",
  sign: "×",
  steps: [],
  target: number("out", 7, 10.5),
  combine: "sum",
  terms: [
    { operands: [number("x", 0, 2), number("W", 0, 3)], value: 6 },
    { operands: [number("x", 1, 1), number("W", 1, 4)], value: 4 },
  ],
  rest: null,
  bias: 0.5,
  parts: new Map([["bias", number("b", 7, 0.5)]]),
};
const arithmetic = cellTrack(cell, sum);
const script = rehearse(sum, (_, [at]) => [at ?? 0, 0, 0], { corner: [50, 0, 1], cell: 2 });

/** A pass of as many steps as there are lengths. */
const passed = (...lengths: readonly number[]): Track => ({
  ...inARow(lengths),
  pictureAt: (pass) => ({ pass, cell: null }),
  wordsAt: ({ step }) => `step ${step}`,
});
const start = { step: 0, progress: 0 };

/** All that follows from where a timeline stands. */
const shown = (timeline: Timeline): string => {
  const { cell: played } = timeline.picture.value;
  const words = timeline.track.value?.wordsAt(timeline.place.value!);
  return JSON.stringify([timeline.picture.value, words, played && perform(script, played.time)]);
};

test.each([
  ["a pass", passed(2, 5, 1)],
  ["the arithmetic of a cell", arithmetic],
  [
    "a lesson of both",
    sequence(passed(2, 5, 1), over({ pass: { step: 1, progress: 1 }, cell: null }, arithmetic), passed(3)),
  ],
])("%s shows the same at a time, from whichever side one comes", (_, track) => {
  const timeline = new Timeline();
  const source = signal(track);
  timeline.put(source, start);
  const times = Array.from({ length: 40 }, (_, n) => (track.seconds * n) / 39);
  const at = (time: number): string => {
    timeline.seek(time);
    return shown(timeline);
  };
  const forward = times.map(at);
  expect(new Set(forward).size).toBe(times.length);
  expect([...times].reverse().map(at).reverse()).toEqual(forward);
  for (const n of [31, 2, 38, 0, 17, 5]) expect(at(times[n]!)).toBe(forward[n]);
  // Played there, it is the same as put there.
  timeline.put(source, start, true);
  for (let n = 1; n < times.length; n++) {
    timeline.advance(times[n]! - times[n - 1]!);
    const { step, progress } = timeline.place.value!;
    const wanted = placeAt(track, times[n]!);
    expect([step, progress]).toEqual([wanted.step, expect.closeTo(wanted.progress, 6)]);
  }
  expect(timeline.running.value).toBe(false);
});

test("a lesson shows a moment of the pass, then plays an arithmetic over it", () => {
  const pass = passed(2, 5, 1);
  const there = { step: 1, progress: 0.5 };
  const lesson = sequence(
    hold(pass, there, 4, "Look at this cell."),
    over(pass.pictureAt(there), arithmetic),
  );
  expect(lesson.seconds).toBeCloseTo(4 + arithmetic.seconds, 9);
  expect(lesson.steps).toHaveLength(1 + arithmetic.steps.length);
  expect(lesson.pictureAt({ step: 0, progress: 0.9 })).toEqual({ pass: there, cell: null });
  expect(lesson.wordsAt({ step: 0, progress: 0.9 })).toBe("Look at this cell.");
  const { pass: beneath, cell: played } = lesson.pictureAt({ step: 2, progress: 0 });
  expect(beneath).toEqual(there);
  expect(played).toEqual({ cell, time: expect.closeTo(arithmetic.steps[1]!.start / arithmetic.seconds, 9) });
  expect(lesson.wordsAt({ step: 2, progress: 0 })).toBe("Each pair is multiplied.");
});

test("only one is played: what is put over another stops it, and leaving comes back to it", () => {
  const timeline = new Timeline();
  const pass = signal<Track>(passed(2, 5, 1));
  timeline.put(pass, { step: 1, progress: 0.5 }, true);
  timeline.putOver(signal(arithmetic), start, true);
  timeline.advance(1);
  expect(timeline.plays(pass)).toBe(false);
  timeline.leave();
  expect([timeline.plays(pass), timeline.running.value]).toEqual([true, false]);
  expect(timeline.place.value).toEqual({ step: 1, progress: 0.5 });
  timeline.leave();
  expect([timeline.place.value, timeline.track.value]).toEqual([null, null]);
});

test("speed is seconds of the track a second, and the end stops it, from where it begins anew", () => {
  const timeline = new Timeline();
  const track = passed(2, 5, 1);
  timeline.put(signal(track), start, true);
  timeline.speed.value = 4;
  timeline.advance(1);
  expect(timeOf(track, timeline.place.value!)).toBe(4);
  timeline.advance(7);
  expect([timeline.running.value, timeline.place.value]).toEqual([false, { step: 2, progress: 1 }]);
  timeline.toggle();
  expect([timeline.running.value, timeline.place.value]).toEqual([true, start]);
  timeline.toggle();
  expect(timeline.running.value).toBe(false);
});

test("a track that becomes longer is still at the same step", () => {
  const timeline = new Timeline();
  const tokens = signal(1);
  timeline.put(
    computed(() => passed(2 * tokens.value, 5 * tokens.value)),
    { step: 1, progress: 0.25 },
  );
  tokens.value = 3;
  expect(timeline.picture.value.pass).toEqual({ step: 1, progress: 0.25 });
  timeline.stand({ step: 1, progress: 0.25 }, true);
  timeline.advance(3);
  expect(timeline.place.value!.progress).toBeCloseTo(0.25 + 3 / 15, 9);
});
