import { describe, expect, it } from "vitest";
import type { Reading } from "../graph/cells";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import { passOf, stepsUnder } from "../graph/pass";
import { LETTERS_A_SECOND } from "./pace";
import { BLOCK_SECONDS, momentAt } from "./pass-time";
import { passTrack, timedPass } from "./pass-track";
import { sweepWords } from "./pass-words";
import { placeAt, timeOf } from "./track";

const cases = [
  ...Object.entries(SPECS).map(([name, { capacity: _, ...spec }]) => ({ name, graph: decoderGraph(spec) })),
  ...FAMILIES.map(({ name, family, spec }) => ({ name, graph: familyGraph(family, spec) })),
];
const positions = { target: 9, source: 7 };
const reading: Reading = { positions, lookup: (_, [at]) => ((at ?? 0) * 7) % 3 };
const words = ["Once", " upon", " a", " time", " there", " lived", " an", " old", " woman"];
const texts = {
  target: words,
  source: words.slice(0, 7),
  next: { text: " who", probability: 0.4321 },
};
/** Numbers that differ from cell to cell, so that words about them do. */
const numbers = {
  valueAt: (_: string, index: readonly number[]) =>
    Math.sin(index.reduce((sum, at, n) => sum + at * (n + 1.3), 0)),
};

describe.each(cases)("the time of a pass of $name", ({ graph }) => {
  const pass = timedPass(graph, passOf(graph, positions), "operation");
  const { steps } = pass;
  const track = passTrack({ graph, pass, reading, texts, numbers, head: 0 });

  it("is an unbroken line, from times to places and back, and never backwards", () => {
    expect(steps[0]!.start).toBe(0);
    expect(steps.at(-1)!.stop).toBe(pass.seconds);
    for (const [i, { start }] of steps.entries()) expect(start).toBe(i === 0 ? 0 : steps[i - 1]!.stop);
    let last = -1;
    for (let i = 0; i <= 500; i++) {
      const time = (pass.seconds * i) / 500;
      const place = placeAt(pass, time);
      expect(timeOf(pass, place)).toBeCloseTo(time, 8);
      expect(place.step + place.progress).toBeGreaterThan(last);
      last = place.step + place.progress;
    }
    expect(placeAt(pass, -1)).toEqual({ step: 0, progress: 0 });
    expect(placeAt(pass, pass.seconds + 1)).toEqual({ step: steps.length - 1, progress: 1 });
  });

  it("is the same for every block where it is told block by block, and for every moment the same picture", () => {
    const blocks = timedPass(graph, passOf(graph, positions), "block");
    for (const mark of pass.marks) {
      const [first, end] = stepsUnder(pass, mark);
      expect(blocks.steps[end - 1]!.stop - blocks.steps[first]!.start).toBeCloseTo(BLOCK_SECONDS, 8);
    }
    for (const step of [0, 5, steps.length - 1]) {
      const place = { step, progress: 0.37 };
      expect(momentAt(graph, blocks, place, reading)?.makes).toEqual(
        momentAt(graph, pass, place, reading)?.makes,
      );
    }
  });

  it("leaves every sentence for as long as it takes to read it, or what is new in it", () => {
    const tick = 0.05;
    for (const step of steps.filter(({ op }) => (op.layer ?? 0) < 1)) {
      const { number, start, stop } = step;
      const seen: { words: string; seconds: number }[] = [];
      for (let time = start; time < stop; time += tick) {
        const now = track.wordsAt({ step: number, progress: (time - start) / (stop - start) });
        if (seen.at(-1)?.words !== now) seen.push({ words: now, seconds: 0 });
        seen.at(-1)!.seconds += tick;
      }
      const [first, ...rest] = seen;
      const letters = track.wordsAt({ step: number, progress: 0 }).length;
      expect(first!.seconds).toBeGreaterThanOrEqual(letters / LETTERS_A_SECOND - tick);
      for (const { words: said, seconds } of rest) {
        const isNew = said === sweepWords(step);
        const least = isNew ? said.length / LETTERS_A_SECOND : Math.max(1.2, 0.25 * first!.seconds);
        expect(seconds, said).toBeGreaterThanOrEqual(least - 2 * tick);
      }
    }
  });
});
