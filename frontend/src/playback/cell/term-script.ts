/** The script of a cell whose terms are put together: operands leave their plates, become a product a row, and are
 *  added up under a line, as on paper. */

import type { Point } from "../../layout/view";
import { landing } from "./landing";
import { at, leaf, number, phasesOf, stagger } from "./phases";
import {
  type FlightPath,
  type Key,
  MOST_ROWS,
  type NumberAt,
  type Phase,
  type Script,
  type Slip,
  type Sum,
  type Where,
} from "./script";
import { DONE_WITH, extentOf, leavingSize, onSlip } from "./slip";

/** Rows left between what is added up and what it comes to. */
const GAP = 0.25;

/** What the paths of a sum share. */
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
export function asTerms(sum: Sum, where: Where, slip: Slip): Script {
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
  const paths = [
    ...totalPaths(
      staging,
      listed.map(({ value }) => value ?? 0),
      restSum,
      phases,
    ),
    ...listed.flatMap((term, row) => termPaths(staging, term, row)),
    ...(restCount > 0 ? [...swarmPaths(staging), ...restPaths(staging, restSum, restCount)] : []),
    ...(bias ? [biasPath(staging, bias)] : []),
  ];
  return { phases, paths, seconds, slip, extent: extentOf(slip, last + 1, tall) };
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
/** The operands of one term, and what they become; all stay on the slip, that the sum may be read at the end. */
function termPaths(staging: Staging, term: Sum["terms"][number], row: number): readonly FlightPath[] {
  const { sum, where, slip, rows, width, merges, leave, merge, meet, gathered } = staging;
  const late = stagger(row, rows);
  const leaving = leavingSize(slip);
  const product = onSlip(slip, width, row);
  const merged = at(merge, 0.25 + 0.6 * late);
  const gone = at(meet, 0.3 + 0.6 * late);
  const gather = { start: at(meet, 0.1 + 0.2 * late), stop: gone };
  const join = { start: at(merge, 0.2 * late), stop: merged };
  const operands = term.operands.flatMap((operand, column): readonly FlightPath[] => {
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
    productPath(staging, term.value, product, merged, gone),
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
): FlightPath {
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
function productPath(
  { sum, slip }: Staging,
  value: number | null,
  product: Point,
  born: number,
  gone: number,
): FlightPath {
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
function swarmPaths({ sum, where, slip, width, rows, leave }: Staging): readonly FlightPath[] {
  const swarm = sum.swarm ?? [];
  const place = onSlip(slip, width, rows - 1);
  const left = new Map<string, number>();
  return swarm.flatMap(({ tensor, index, value }): readonly FlightPath[] => {
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
function restPaths(
  { sum, slip, width, rows, leave, meet, gathered }: Staging,
  value: number,
  count: number,
): readonly FlightPath[] {
  const place = onSlip(slip, width, rows - 1);
  const key = (time: number, position: Point, strength: number): Key => ({
    at: time,
    position,
    size: slip.cell,
    value,
    strength,
    label: `${count} more`,
  });
  const stays: FlightPath = {
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
function totalPaths(
  { sum, slip, where, rows, gathered }: Staging,
  values: readonly number[],
  restSum: number,
  phases: readonly Phase[],
): readonly FlightPath[] {
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
/** The bias comes to stand over the total, and goes into it. */
function biasPath({ sum, slip, where, over }: Staging, phase: Phase): FlightPath {
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
