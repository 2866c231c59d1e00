/** The phases of a script, one after another, and the words of numbers and tensors in them. */

import { readingTime } from "../pace";
import { inARow } from "../track";
import type { Phase } from "./script";

/** Phases in a row, each as long as its motion takes, or its words to read where that is more. */
export function phasesOf(parts: readonly (readonly [name: string, motion: number, words: string])[]): {
  phases: readonly Phase[];
  seconds: number;
} {
  const lengths = parts.map(([, motion, words]) => Math.max(motion, readingTime(words.length)));
  const { steps, seconds } = inARow(lengths);
  const phases = parts.map(([name, , words], n) => ({
    name,
    start: steps[n]!.start / seconds,
    stop: steps[n]!.stop / seconds,
    words,
  }));
  return { phases, seconds };
}

export const number = (value: number | null): string => (value === null ? "−∞" : short(value));
const short = (value: number): string => `${Number(value.toPrecision(4))}`.replace("-", "−");
export const leaf = (tensor: string): string =>
  tensor
    .split(".")
    .at(-1)!
    .replace(/^hook_/, "");

export const at = ({ start, stop }: Phase, share: number): number => start + (stop - start) * share;
/** From 0 for the first row to 1 for the last. */
export const stagger = (row: number, rows: number): number => (rows > 1 ? row / (rows - 1) : 0);
