import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decoderGraph, SPECS } from "../graph/fixtures";
import type { NumbersSource } from "../sources/port";
import { readAddress, writeAddress } from "./address";
import { lit } from "./explain";
import {
  numbersShown,
  pass,
  passGrain,
  passing,
  passPlayed,
  passTold,
  readStep,
  shownHead,
  shownMoment,
  spokenOf,
  writeStep,
} from "./pass";
import { askedRun } from "./run";
import { made } from "./source";
import { graph, run } from "./store";
import { still, timeline } from "./timeline";

const { capacity: _, ...spec } = SPECS.sort!;
const tokens = [..."CBABBC"].map((text, id) => ({ id: id % 3, text, start: id, end: id + 1 }));

beforeEach(() => {
  graph.value = decoderGraph(spec);
  run.value = {
    ...askedRun("r1", "sort", 6),
    phase: "done",
    promptLength: 6,
    given: 6,
    capacity: 11,
    tokens,
  };
  // The pass asks the numbers' source for its text alone.
  const text = signal({ tokens, read: tokens.length, source: [], kinds: [] });
  made.value = { graph: graph.value, text } as unknown as NumbersSource;
  numbersShown.value = { valueAt: (tensor, index) => Math.sin(tensor.length + index.join("").length) };
});
afterEach(() => {
  made.value = null;
  timeline.clear();
  passGrain.value = "operation";
  still.value = false;
});

/** All that the page shows of the pass where the timeline stands. */
const shown = (): string =>
  JSON.stringify([
    passing.value,
    shownMoment.value,
    shownHead.value,
    passTold.value,
    spokenOf.value,
    lit.value?.boxes,
  ]);

test.each([
  ["operation", false],
  ["block", false],
  ["operation", true],
] as const)("by %s, ends alone: %s, a time shows the same from whichever side one comes", (grain, ends) => {
  passGrain.value = grain;
  still.value = ends;
  timeline.put(passPlayed, { step: 0, progress: 0 });
  const times = Array.from({ length: 120 }, (_, n) => (pass.value!.seconds * n) / 119);
  const at = (time: number): string => {
    timeline.seek(time);
    return shown();
  };
  const forward = times.map(at);
  expect(new Set(forward).size).toBeGreaterThan(times.length / 2);
  expect([...times].reverse().map(at).reverse()).toEqual(forward);
  for (const n of [90, 3, 119, 0, 57, 4]) expect(at(times[n]!)).toBe(forward[n]);
});

test("words, the cell spoken of and the cells framed change together", () => {
  timeline.put(passPlayed, { step: 0, progress: 0 });
  const wrong: string[] = [];
  let told = 0;
  for (const { number } of pass.value!.steps)
    for (let share = 0; share <= 1; share += 0.02) {
      timeline.stand({ step: number, progress: share });
      const [cell, moment] = [spokenOf.value, shownMoment.value!];
      if (!cell) continue;
      told += 1;
      const isMade = moment.makes.some(
        ({ tensor, start, stop }) =>
          tensor === cell.tensor && cell.index.every((at, axis) => start[axis]! <= at && at < stop[axis]!),
      );
      if (!isMade) wrong.push(`${cell.tensor} ${cell.index} at ${share}`);
    }
  expect(wrong).toEqual([]);
  expect(told).toBeGreaterThan(1000);
});

test("where motion is not wanted a step is shown as it ends", () => {
  timeline.put(passPlayed, { step: 5, progress: 0.5 });
  expect(shownMoment.value!.unmade).not.toEqual([]);
  still.value = true;
  expect(shownMoment.value!.unmade).toEqual([]);
});

test("a step comes back from the address as it was written, done or half-way", () => {
  const whole = pass.value!;
  for (const { number } of whole.steps)
    for (const progress of [0, 0.25, 0.417, 1]) {
      const written = writeAddress({ step: writeStep(whole.steps[number]!, progress) });
      expect(written).not.toContain("%");
      expect(readStep(readAddress(written, "").step!, whole)).toEqual({ step: number, progress });
    }
});

test("what names no step of this model is no step", () => {
  for (const text of ["", "W_E", "blocks.9.hook_resid_mid", "hook_embed-", "hook_embed-x", "hook_embed 1"])
    expect(readStep(text, pass.value!)).toBeNull();
});
