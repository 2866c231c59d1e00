/** Explanations as the server gives them: fetched once, kept, and shared by all who show them. */

import type { TensorInfo } from "../graph/types";
import { type Beside, type Explanation, getBeside, type Place } from "../net/explain";
import { ServerRun } from "../sources/server-run";
import type { Direction } from "../state/explain";
import { isComputed, reading, source } from "../state/source";
import { type Cell, modelId } from "../state/store";

const KEPT = 300;
const kept = new Map<string, Explanation>();
const compared = new Map<string, Beside>();
const formulas = new Map<string, string>();

/** Where the server explains a cell: in the run, or, for a weight, in the model when there is no run. Null for cells
 *  that are not computed, for which plates have room, and for numbers that are not the server's. */
export function placeOf(cell: Cell): Place | null {
  const now = source.value;
  return now instanceof ServerRun && isComputed(cell) ? now.place : null;
}

/** Where the server has all numbers of a tensor; null where they are not the server's. */
export function placeOfTensor({ role }: TensorInfo): Place | null {
  const now = source.value;
  if (!(now instanceof ServerRun)) return null;
  const { model, run } = now.known;
  if (role === "weight") return { kind: "models", id: model };
  return run === null ? null : { kind: "runs", id: run };
}

/** What an explanation is kept under; a run that grows has new ones. */
export function explanationKey(cell: Cell, direction: Direction): string {
  const { target } = reading.value.positions;
  return `${source.value?.key} ${target} ${cell.tensor} ${cell.index.join(" ")} ${direction}`;
}

export function knownExplanation(cell: Cell, direction: Direction): Explanation | undefined {
  return kept.get(explanationKey(cell, direction));
}

/** What formulas are kept under: they are those of a model, whatever it reads. */
const formulasOf = () => modelId.value ?? source.value?.key;

/** The formula of the operation that makes a tensor, if one of its cells was explained before. */
export function knownFormula(tensor: string): string | undefined {
  return formulas.get(`${formulasOf()} ${tensor}`);
}

/** @throws ApiError when the source refuses, DOMException when given up by `signal`. */
export async function explain(cell: Cell, direction: Direction, signal: AbortSignal): Promise<Explanation> {
  const key = explanationKey(cell, direction);
  const known = kept.get(key);
  if (known) return known;
  const now = source.value;
  if (!now || !isComputed(cell)) throw new DOMException("there is no number to explain yet", "AbortError");
  const of = formulasOf();
  const answer = await now.explain(cell, direction, signal);
  keep(kept, key, answer);
  if (answer.op) formulas.set(`${of} ${cell.tensor}`, answer.op.latex_marked);
  return answer;
}

/** How many pairs of terms are shown of two cells. */
const PAIRS = 8;

export function besideKey(left: Cell, right: Cell): string {
  return `${explanationKey(left, "backward")} beside ${explanationKey(right, "backward")}`;
}

export function knownComparison(left: Cell, right: Cell): Beside | undefined {
  return compared.get(besideKey(left, right));
}

/** @throws ApiError when the server refuses, DOMException when given up by `signal`. */
export async function compareCells(left: Cell, right: Cell, signal: AbortSignal): Promise<Beside> {
  const key = besideKey(left, right);
  const place = placeOf(left);
  if (place?.kind !== "runs") throw new DOMException("there is no run to compare in", "AbortError");
  const answer = await getBeside(place.id, left, right, PAIRS, signal);
  keep(compared, key, answer);
  return answer;
}

/** The oldest goes when there are too many. */
function keep<Answer>(answers: Map<string, Answer>, key: string, answer: Answer): void {
  answers.set(key, answer);
  if (answers.size > KEPT) answers.delete(answers.keys().next().value!);
}
