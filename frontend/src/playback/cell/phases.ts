/** The phases of a script, one after another, and the words of numbers and tensors in them. */

import type { Phase } from "./script";

/** Phases in a row, each as long as its weight says. */
export function phasesOf(parts: readonly (readonly [name: string, weight: number, words: string])[]): {
  phases: readonly Phase[];
  seconds: number;
} {
  const whole = parts.reduce((total, [, weight]) => total + weight, 0);
  let start = 0;
  const phases = parts.map(([name, weight, words]) => {
    const phase = { name, start, stop: start + weight / whole, words };
    start = phase.stop;
    return phase;
  });
  return { phases, seconds: whole };
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
