/** The arithmetic of one cell, played: its operands leave their plates, meet on a slip of paper, are multiplied and
 *  added, and the result lands in its cell. A script is written once from the explanation; what flies at a time
 *  follows from script and time alone, so that a clock can run, stop, and be dragged either way.
 */

import type { Point } from "./view";

/** One number somewhere: of a tensor, or on its way. */
export interface NumberAt {
  readonly tensor: string;
  readonly index: readonly number[];
  readonly value: number | null;
}

/** What the script is written from: the part of an explanation that says how the number comes about. */
export interface Sum {
  /** What becomes of a term's operands before terms are put together; null: each is taken as it is. */
  readonly merging: string | null;
  /** Stands between the operands of one term. */
  readonly sign: string;
  /** Where there are any, the input goes through them one after another, and there are no terms. */
  readonly steps: readonly Step[];
  readonly target: NumberAt;
  readonly combine: "sum" | "root" | "divisor" | "largest" | null;
  readonly terms: readonly { readonly operands: readonly NumberAt[]; readonly value: number | null }[];
  /** Terms that are not listed: how many, and their sum. */
  readonly rest: { readonly count: number; readonly sum: number | null } | null;
  readonly bias: number | null;
  /** Cells of operands that are not in the terms shown one by one: they fly to the rest, without numbers. */
  readonly swarm?: readonly NumberAt[];
  /** Operands of a single cell, by what they are to the operation. */
  readonly parts: ReadonlyMap<string, NumberAt>;
}

/** One step: the number joins what there is, which becomes another. `words` say so, without the number. */
export interface Step {
  readonly joins: NumberAt | null;
  readonly sign: string;
  readonly becomes: number | null;
  readonly words: string;
}

/** Where the arithmetic is laid out: upper left corner, and how large a cell is there. */
export interface Slip {
  readonly corner: Point;
  readonly cell: number;
}

/** A flying cell at one moment. `scaleOf` names the tensor whose colours it has. */
export interface FlyingCell {
  readonly position: Point;
  readonly size: number;
  readonly value: number | null;
  readonly scaleOf: string;
  /** From 0, not there, to 1. */
  readonly strength: number;
  /** An operator or a name beside it; empty for none. */
  readonly label: string;
  /** 1 where it stands still, 0 on its way: what is written beside it would run over the others. */
  readonly settled: number;
}

/** A stretch of the clock, from 0 to 1, and what happens in it. */
export interface Phase {
  readonly name: string;
  readonly start: number;
  readonly stop: number;
  readonly words: string;
}

export interface Script {
  readonly phases: readonly Phase[];
  readonly tracks: readonly Track[];
  /** Seconds at the usual pace. */
  readonly seconds: number;
  readonly slip: Slip;
  /** Width and height of the slip, in layout units. */
  readonly extent: readonly [number, number];
}

/** A cell at one of its turning points. */
interface Key {
  readonly at: number;
  readonly position: Point;
  readonly size: number;
  readonly value: number | null;
  readonly strength: number;
  readonly label: string;
  /** Where its colours are those of another tensor than the track's. */
  readonly scaleOf?: string;
}

interface Track {
  readonly scaleOf: string;
  /** What leaves a cell that stays: its number is written there already. */
  readonly quiet?: boolean;
  readonly keys: readonly Key[];
}

/** Rows on the slip: more terms than these are one row. */
export const MOST_ROWS = 8;
const ROW = 1.4;
/** Rows left between what is added up and what it comes to. */
const GAP = 0.25;
/** Room for a cell, the number beside it, and the sign of the next. */
const COLUMN = 5.2;
/** What the number of the last column needs. */
const NUMBER = 3.4;
const MARGIN = 1.2;
/** A letter of a sign. */
const LETTER = 0.36;

type Where = (tensor: string, index: readonly number[]) => Point | null;

// ---- the moment --------------------------------------------------------------------------------------------

/** What flies at a time from 0 to 1. */
export function perform(script: Script, time: number): readonly FlyingCell[] {
  return script.tracks.flatMap((track) => moment(track, time) ?? []);
}

function moment({ keys, scaleOf, quiet }: Track, time: number): FlyingCell | undefined {
  const next = keys.findIndex(({ at }) => at > time);
  const before = next < 0 ? keys.at(-1) : keys[next - 1];
  if (!before) return undefined;
  const after = next < 0 ? before : keys[next]!;
  const way = after.at > before.at ? eased((time - before.at) / (after.at - before.at)) : 1;
  const strength = mix(before.strength, after.strength, way);
  if (strength <= 0.01) return undefined;
  return {
    position: flight(before.position, after.position, way),
    size: mix(before.size, after.size, way),
    value: before.value,
    scaleOf: before.scaleOf ?? scaleOf,
    strength,
    label: before.label,
    settled: quiet ? 0 : settled(before.position, after.position, way),
  };
}

/** The first and the last of a way are as good as standing still. */
function settled(from: Point, to: Point, way: number): number {
  if (from.every((value, axis) => value === to[axis])) return 1;
  return Math.max(0, 1 - Math.min(way, 1 - way) * 12);
}

const eased = (t: number): number => t * t * (3 - 2 * t);
const mix = (from: number, to: number, way: number): number => from + (to - from) * way;

/** Toward the viewer and back on the way, so that cells fly over the plates between. */
function flight(from: Point, to: Point, way: number): Point {
  const far = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const lift = far * 0.12 * 4 * way * (1 - way);
  return [mix(from[0], to[0], way), mix(from[1], to[1], way), mix(from[2], to[2], way) + lift];
}

// ---- the script --------------------------------------------------------------------------------------------

/** Writes the script of a cell. `where` is where a cell stands; null for what has no plate: it comes in from the
 *  edge of the slip. */
export function rehearse(sum: Sum, where: Where, slip: Slip): Script {
  return sum.steps.length > 0 ? inSteps(sum, where, slip) : asTerms(sum, where, slip);
}

/** A place on the slip, in columns and rows of cells. */
function onSlip({ corner, cell }: Slip, column: number, row: number): Point {
  return [
    corner[0] + (MARGIN + 0.5 + column * COLUMN) * cell,
    corner[1] + (MARGIN + 0.5 + row * ROW) * cell,
    corner[2],
  ];
}

function extentOf({ cell }: Slip, columns: number, rows: number): readonly [number, number] {
  return [
    (2 * MARGIN + 1 + (columns - 1) * COLUMN + NUMBER) * cell,
    (2 * MARGIN + 1 + (rows - 1) * ROW) * cell,
  ];
}

/** Phases in a row, each as long as its weight says. */
function phasesOf(parts: readonly (readonly [name: string, weight: number, words: string])[]): {
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

const number = (value: number | null): string => (value === null ? "−∞" : short(value));
const short = (value: number): string => `${Number(value.toPrecision(4))}`.replace("-", "−");
const leaf = (tensor: string): string =>
  tensor
    .split(".")
    .at(-1)!
    .replace(/^hook_/, "");

/** What the tracks of a sum share. */
interface Staging {
  readonly sum: Sum;
  readonly where: Where;
  readonly slip: Slip;
  /** Rows on the slip, the one for the rest among them, and operands in a row. */
  readonly rows: number;
  readonly width: number;
  /** Whether a row's operands become another number before they are added. */
  readonly merges: boolean;
  readonly leave: Phase;
  readonly merge: Phase;
  /** When rows are added up. */
  readonly meet: Phase;
  /** Where the total stands. */
  readonly gathered: Point;
  /** Where the bias stands: over it, as the last of what is added. */
  readonly over: Point;
}

/** Terms that are put together. */
function asTerms(sum: Sum, where: Where, slip: Slip): Script {
  const listed = sum.terms.slice(0, MOST_ROWS);
  const late = sum.terms.slice(MOST_ROWS);
  const restCount = late.length + (sum.rest?.count ?? 0);
  const restSum = late.reduce((total, { value }) => total + (value ?? 0), sum.rest?.sum ?? 0);
  const width = Math.max(1, ...listed.map(({ operands }) => operands.length));
  const rows = listed.length + (restCount > 0 ? 1 : 0);
  const merges = sum.merging !== null;
  const total = listed.reduce((all, { value }) => all + (value ?? 0), restSum);
  const { phases, seconds } = sumPhases(sum, { restCount, width, rows, merges, total });
  const find = (name: string): Phase | undefined => phases.find((one) => one.name === name);
  const leave = find("leave")!;
  const merge = find("merge") ?? { ...leave, start: leave.stop, stop: leave.stop };
  const meet = find("add") ?? { ...merge, start: merge.stop, stop: merge.stop };
  const bias = find("bias");
  // As on paper, what rows come to stands under them; a single one comes to what stands beside it.
  const single = rows === 1 && !bias && sum.combine !== "root" && sum.combine !== "divisor";
  const last = single || merges || restCount > 0 ? width : width - 1;
  const tall = single ? 1 : rows + GAP + (bias ? 2 : 1);
  const gathered = onSlip(slip, last, tall - 1);
  const over = onSlip(slip, last, rows + GAP);
  const staging = { sum, where, slip, rows, width, merges, leave, merge, meet, gathered, over };
  const tracks = [
    ...totalTracks(
      staging,
      listed.map(({ value }) => value ?? 0),
      restSum,
      phases,
    ),
    ...listed.flatMap((term, row) => termTracks(staging, term, row)),
    ...(restCount > 0 ? [...swarmTracks(staging), ...restTracks(staging, restSum, restCount)] : []),
    ...(bias ? [biasTrack(staging, bias)] : []),
  ];
  return { phases, tracks, seconds, slip, extent: extentOf(slip, last + 1, tall) };
}

function sumPhases(
  sum: Sum,
  of: { restCount: number; width: number; rows: number; merges: boolean; total: number },
): { phases: readonly Phase[]; seconds: number } {
  const result = number(sum.target.value);
  return phasesOf([
    ["leave", 2.6, leavingWords(sum, of.restCount)],
    ...(of.merges ? [["merge", 2.2, `${sum.merging}.`] as const] : []),
    ...(of.rows > 1 ? [["add", 2.4, addingWords(sum, of.total)] as const] : []),
    ...(sum.bias !== null ? [["bias", 1.2, `The bias ${number(sum.bias)} is added.`] as const] : []),
    ...(sum.combine === "root"
      ? [["root", 1, `The root of it, with epsilon under the root, is ${result}.`] as const]
      : []),
    ...(sum.combine === "divisor"
      ? [["divide", 1.2, `It divides e to the power of the cell's own score: ${result}.`] as const]
      : []),
    ["land", 1.3, `${result} lands in ${leaf(sum.target.tensor)}.`],
  ]);
}

/** How large a cell is as it leaves its plate: from where the whole sum is seen it would be too small to be followed. */
const leavingSize = ({ cell }: Slip): number => Math.max(1, 0.4 * cell);

/** The operands of one term, and what they become; all stay on the slip, that the sum may be read at the end. */
function termTracks(staging: Staging, term: Sum["terms"][number], row: number): readonly Track[] {
  const { sum, where, slip, rows, width, merges, leave, merge, meet, gathered } = staging;
  const late = stagger(row, rows);
  const leaving = leavingSize(slip);
  const product = onSlip(slip, width, row);
  const merged = at(merge, 0.25 + 0.6 * late);
  const gone = at(meet, 0.3 + 0.6 * late);
  const gather = { start: at(meet, 0.1 + 0.2 * late), stop: gone };
  const join = { start: at(merge, 0.2 * late), stop: merged };
  const operands = term.operands.flatMap((operand, column): readonly Track[] => {
    const place = onSlip(slip, column, row);
    const from = where(operand.tensor, operand.index) ?? onSlip(slip, -1.5, row);
    const label = column === 0 ? "" : sum.sign;
    const key = (time: number, position: Point, size: number, strength: number): Key => ({
      at: time,
      position,
      size,
      value: operand.value,
      strength,
      label,
    });
    const keys = [
      key(at(leave, 0.35 * late), from, leaving, 0),
      key(at(leave, 0.02 + 0.35 * late), from, leaving, 1),
      key(at(leave, 0.6 + 0.35 * late), place, slip.cell, 1),
      key(merges ? merged : gone, place, slip.cell, DONE_WITH),
    ];
    const [to, when] = merges ? [product, join] : [gathered, gather];
    const copy = rows > 1 || merges ? [copied(operand, place, to, slip.cell, when)] : [];
    return [{ scaleOf: operand.tensor, keys }, ...copy];
  });
  if (!merges) return operands;
  const made = { tensor: sum.target.tensor, value: term.value };
  return [
    ...operands,
    productTrack(staging, term.value, product, merged, gone),
    ...(rows > 1 ? [copied(made, product, gathered, slip.cell, gather)] : []),
  ];
}

/** A number goes from one place of the slip to another, and stays where it was. */
function copied(
  { tensor, value }: Pick<NumberAt, "tensor" | "value">,
  from: Point,
  to: Point,
  size: number,
  { start, stop }: Pick<Phase, "start" | "stop">,
): Track {
  const key = (time: number, position: Point, strength: number): Key => ({
    at: time,
    position,
    size,
    value,
    strength,
    label: "",
  });
  const begun = Math.min(stop, start + 0.004);
  return {
    scaleOf: tensor,
    quiet: true,
    keys: [key(start, from, 0), key(begun, from, 1), key(stop, to, 1), key(Math.min(1, stop + 0.004), to, 0)],
  };
}

const at = ({ start, stop }: Phase, share: number): number => start + (stop - start) * share;
/** From 0 for the first row to 1 for the last. */
const stagger = (row: number, rows: number): number => (rows > 1 ? row / (rows - 1) : 0);

function productTrack(
  { sum, slip }: Staging,
  value: number | null,
  product: Point,
  born: number,
  gone: number,
): Track {
  const key = (time: number, position: Point, strength: number): Key => ({
    at: time,
    position,
    size: slip.cell,
    value,
    strength,
    label: "=",
  });
  return {
    scaleOf: sum.target.tensor,
    keys: [
      key(born - 0.01, product, 0),
      key(born, product, 1),
      key(Math.max(born, gone - 0.02), product, 1),
      key(gone, product, DONE_WITH),
    ],
  };
}

/** What is not shown one by one leaves its plates in a row, and goes where the rest will stand. */
function swarmTracks({ sum, where, slip, width, rows, leave }: Staging): readonly Track[] {
  const swarm = sum.swarm ?? [];
  const place = onSlip(slip, width, rows - 1);
  const left = new Map<string, number>();
  return swarm.flatMap(({ tensor, index, value }): readonly Track[] => {
    const from = where(tensor, index);
    if (!from) return [];
    // Of every operand one after another.
    const n = left.get(tensor) ?? 0;
    left.set(tensor, n + 1);
    const late = Math.min(0.5, n * 0.0125);
    const key = (share: number, position: Point, size: number, strength: number): Key => ({
      at: at(leave, share),
      position,
      size,
      value,
      strength,
      label: "",
    });
    const leaving = leavingSize(slip);
    const keys = [
      key(late, from, leaving, 0),
      key(late + 0.02, from, leaving, 1),
      key(late + 0.46, place, leaving, 1),
      key(late + 0.48, place, leaving, 0),
    ];
    return [{ scaleOf: tensor, quiet: true, keys }];
  });
}

/** All terms that are not shown one by one, as one number. */
function restTracks(
  { sum, slip, width, rows, leave, meet, gathered }: Staging,
  value: number,
  count: number,
): readonly Track[] {
  const place = onSlip(slip, width, rows - 1);
  const key = (time: number, position: Point, strength: number): Key => ({
    at: time,
    position,
    size: slip.cell,
    value,
    strength,
    label: `${count} more`,
  });
  const stays: Track = {
    scaleOf: sum.target.tensor,
    keys: [
      key(at(leave, 0.88), place, 0),
      key(at(leave, 0.92), place, 1),
      key(at(meet, 0.8), place, 1),
      key(at(meet, 0.9), place, DONE_WITH),
    ],
  };
  const made = { tensor: sum.target.tensor, value };
  return [stays, copied(made, place, gathered, slip.cell, { start: at(meet, 0.8), stop: at(meet, 0.9) })];
}

/** The running total: it takes in row after row, then bias and root, and flies home. */
function totalTracks(
  { sum, slip, where, rows, gathered }: Staging,
  values: readonly number[],
  restSum: number,
  phases: readonly Phase[],
): readonly Track[] {
  const find = (name: string) => phases.find((one) => one.name === name);
  const [add, bias, land] = [find("add"), find("bias"), find("land")!];
  const last = find("root") ?? find("divide");
  const begin = add ?? find("merge") ?? find("leave")!;
  const key = (time: number, value: number | null, strength: number, label: string): Key => ({
    at: time,
    position: gathered,
    size: slip.cell * 1.25,
    value,
    strength,
    label,
  });
  const running = values.map((_, row) => values.slice(0, row + 1).reduce((all, value) => all + value, 0));
  const total = (running.at(-1) ?? 0) + restSum;
  const keys = [
    key(at(begin, add ? 0.25 : 0.96), running[0] ?? restSum, 0, ""),
    ...running.map((value, row) =>
      key(add ? at(add, 0.3 + 0.6 * stagger(row, rows)) : at(begin, 0.98), value, 1, add ? "Σ" : "="),
    ),
    ...(add ? [key(at(add, 0.95), total, 1, "Σ")] : []),
    ...(bias ? [key(at(bias, 0.75), total + (sum.bias ?? 0), 1, "Σ")] : []),
    ...(last ? [key(at(last, 0.4), sum.target.value, 1, sum.combine === "root" ? "√" : "÷")] : []),
    key(land.start + 0.001, sum.target.value, 1, "="),
  ];
  return landing({ scaleOf: sum.target.tensor, keys }, sum, where, land);
}

/** What becomes of the result: it stays on the slip beside what it is made of, and flies to its cell. */
function landing({ scaleOf, keys }: Track, sum: Sum, where: Where, land: Phase): readonly Track[] {
  const last = keys.at(-1)!;
  const { value } = sum.target;
  const home = where(sum.target.tensor, sum.target.index);
  const stays = { scaleOf, keys: [...keys, { ...last, at: land.stop, value, label: "=" }] };
  if (!home) return [stays];
  const key = (share: number, position: Point, size: number, strength: number): Key => ({
    at: at(land, share),
    position,
    size,
    value,
    strength,
    label: "",
  });
  const place = last.position;
  const landed = [key(0.85, home, 1, 0), key(0.86, home, 1, 1), key(1, home, 1, 1)];
  const flies = [
    key(0, place, last.size, 0),
    key(0.02, place, last.size, 1),
    key(0.86, home, 1, 1),
    key(0.88, home, 1, 0),
  ];
  return [{ scaleOf, keys: landed }, { scaleOf, quiet: true, keys: flies }, stays];
}

/** The bias comes to stand over the total, and goes into it. */
function biasTrack({ sum, slip, where, over }: Staging, phase: Phase): Track {
  const bias = sum.parts.get("bias");
  const home = (bias && where(bias.tensor, bias.index)) ?? onSlip(slip, -1.5, 0);
  const key = (time: number, position: Point, size: number, strength: number): Key => ({
    at: time,
    position,
    size,
    value: sum.bias,
    strength,
    label: strength > 0 ? "+" : "",
  });
  return {
    scaleOf: bias?.tensor ?? sum.target.tensor,
    keys: [
      key(phase.start, home, leavingSize(slip), 0),
      key(at(phase, 0.03), home, leavingSize(slip), 1),
      key(at(phase, 0.55), over, slip.cell, 1),
      key(at(phase, 0.7), over, slip.cell, 1),
      key(at(phase, 0.8), over, slip.cell, DONE_WITH),
    ],
  };
}

// ---- one number after another ------------------------------------------------------------------------------

/** The input comes to the slip, numbers join it one after another, each a row further down, as on paper, and it flies
 *  home. */
function inSteps(sum: Sum, where: Where, slip: Slip): Script {
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
  const traces: Track[] = [];
  const tracks: Track[] = [];
  for (const [n, step] of steps.entries()) {
    const phase = phases[n + 1]!;
    const next = onSlip(slip, column, n + 1);
    const last = keys.at(-1)!;
    keys.push({ ...last, at: at(phase, 0.5) });
    traces.push(trace(last, phase, input.tensor));
    keys.push(key(at(phase, 0.62), next, slip.cell * 1.25, step.becomes, step.joins ? "=" : step.sign));
    if (step.joins) tracks.push(joining(step, phase, where, slip, n));
  }
  const { scaleOf: _, ...share } = keys.pop()!;
  keys.push(share, { ...share, at: land.start });
  const result = landing({ scaleOf: sum.target.tensor, keys }, sum, where, land);
  return {
    phases,
    tracks: [...result, ...traces, ...tracks],
    seconds,
    slip,
    extent: extentOf(slip, column + 1, steps.length + 1),
  };
}

/** How strong what is done with stays on the slip. */
const DONE_WITH = 0.7;

/** What a number leaves behind in its row. */
function trace(key: Key, phase: Phase, scaleOf: string): Track {
  const stays = (time: number, strength: number): Key => ({ ...key, at: time, strength });
  return {
    scaleOf,
    keys: [stays(at(phase, 0.53), 0), stays(at(phase, 0.56), DONE_WITH)],
  };
}

function joining({ joins, sign }: Step, phase: Phase, where: Where, slip: Slip, n: number): Track {
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

// ---- words -------------------------------------------------------------------------------------------------

function leavingWords({ terms }: Sum, rest: number): string {
  const names = [...new Set(terms.flatMap(({ operands }) => operands.map(({ tensor }) => leaf(tensor))))];
  const count = terms.length + Math.max(0, rest - Math.max(0, terms.length - MOST_ROWS));
  const what = count === 1 ? "A number leaves" : `${count} numbers leave`;
  const of = names.slice(0, 3).join(" and ");
  return `${what} ${of}${rest > 0 ? `; the largest ${Math.min(MOST_ROWS, terms.length)} are shown one by one` : ""}.`;
}

function addingWords({ combine, target }: Sum, total: number): string {
  if (combine === "largest") return `The largest of them stays: ${number(target.value)}.`;
  return `They add up to ${number(total)}.`;
}
