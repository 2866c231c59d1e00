/** The script of a cell that numbers join one after another, as in norms, softmax and activations. */

import type { Point } from "../../layout/view";
import { landing } from "./landing";
import { at, leaf, number, phasesOf } from "./phases";
import type { FlightPath, Key, Phase, Script, Slip, Step, Sum, Where } from "./script";
import { COLUMN, DONE_WITH, extentOf, leavingSize, onSlip } from "./slip";

/** A letter of a sign. */
const LETTER = 0.36;

/** The input comes to the slip, numbers join it one after another, each a row further down, as on paper, and it flies
 *  home. */
export function inSteps(sum: Sum, where: Where, slip: Slip): Script {
  const { steps } = sum;
  const input = sum.parts.get("input") ?? sum.target;
  const { phases, seconds } = phasesOf([
    ["leave", 1.4, `${number(input.value)} leaves ${leaf(input.tensor)}.`],
    ...steps.map(({ words, becomes }, n) => [`step ${n}`, 1.8, `${words}: ${number(becomes)}.`] as const),
    ["land", 1.3, `${number(sum.target.value)} lands in ${leaf(sum.target.tensor)}.`],
  ]);
  const [leave, land] = [phases[0]!, phases.at(-1)!];
  // Beside what joins it; where nothing does, with room for the signs alone.
  const joined = steps.some(({ joins }) => joins !== null);
  const column = joined ? 1 : Math.max(0, ...steps.map(({ sign }) => sign.length * LETTER - 0.8)) / COLUMN;
  const place = onSlip(slip, column, 0);
  const home = where(input.tensor, input.index) ?? onSlip(slip, -1.5, 0);
  // What is on its way to the result still has the input's colours.
  const key = (time: number, position: Point, size: number, value: number | null, label: string): Key => ({
    at: time,
    position,
    size,
    value,
    strength: 1,
    label,
    scaleOf: input.tensor,
  });
  const keys: Key[] = [
    key(0, home, 1, input.value, ""),
    key(at(leave, 0.9), place, slip.cell * 1.25, input.value, ""),
  ];
  const traces: FlightPath[] = [];
  const paths: FlightPath[] = [];
  for (const [n, step] of steps.entries()) {
    const phase = phases[n + 1]!;
    const next = onSlip(slip, column, n + 1);
    const last = keys.at(-1)!;
    keys.push({ ...last, at: at(phase, 0.5) });
    traces.push(trace(last, phase, input.tensor));
    keys.push(key(at(phase, 0.62), next, slip.cell * 1.25, step.becomes, step.joins ? "=" : step.sign));
    if (step.joins) paths.push(joining(step, phase, where, slip, n));
  }
  const { scaleOf: _, ...share } = keys.pop()!;
  keys.push(share, { ...share, at: land.start });
  const result = landing({ scaleOf: sum.target.tensor, keys }, sum, where, land);
  return {
    phases,
    paths: [...result, ...traces, ...paths],
    seconds,
    slip,
    extent: extentOf(slip, column + 1, steps.length + 1),
  };
}
/** What a number leaves behind in its row. */
function trace(key: Key, phase: Phase, scaleOf: string): FlightPath {
  const stays = (time: number, strength: number): Key => ({ ...key, at: time, strength });
  return {
    scaleOf,
    keys: [stays(at(phase, 0.53), 0), stays(at(phase, 0.56), DONE_WITH)],
  };
}

function joining({ joins, sign }: Step, phase: Phase, where: Where, slip: Slip, n: number): FlightPath {
  const from = where(joins!.tensor, joins!.index) ?? onSlip(slip, -1.5, n + 1);
  const place = onSlip(slip, 0, n + 1);
  const key = (time: number, position: Point, size: number, strength: number): Key => ({
    at: time,
    position,
    size,
    value: joins!.value,
    strength,
    label: sign,
  });
  return {
    scaleOf: joins!.tensor,
    keys: [
      key(at(phase, 0), from, leavingSize(slip), 0),
      key(at(phase, 0.02), from, leavingSize(slip), 1),
      key(at(phase, 0.42), place, slip.cell, 1),
      key(at(phase, 0.55), place, slip.cell, 1),
      key(at(phase, 0.66), place, slip.cell, DONE_WITH),
    ],
  };
}
