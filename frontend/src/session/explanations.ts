/** Explanations as the server gives them: fetched once, kept, and shared by all who show them. */

import { findTensor, shapeAt } from "../graph/shape";
import { type Beside, type Explanation, getBeside, getExplanation, type Place } from "../net/explain";
import type { Direction } from "../state/explain";
import { reading } from "../state/reading";
import { type Cell, graph, modelId, passHasCome, run } from "../state/store";

const KEPT = 300;
const kept = new Map<string, Explanation>();
const compared = new Map<string, Beside>();
const formulas = new Map<string, string>();

/** Where a cell is explained: in the run, or, for a weight, in the model when there is no run. Null for cells that are
 *  not computed: their plates have room for a longer text. */
export function placeOf(cell: Cell): Place | null {
  const info = graph.value && findTensor(graph.value, cell.tensor);
  const now = run.value;
  if (!info || !modelId.value || !isComputed(cell)) return null;
  if (now?.id) return { kind: "runs", id: now.id };
  return info.role === "weight" ? { kind: "models", id: modelId.value } : null;
}

/** Whether a cell is there: the text reaches as far, and the pass has come to its tensor. */
export function isComputed(cell: Cell): boolean {
  const info = graph.value && findTensor(graph.value, cell.tensor);
  return !!info && textReaches(cell) && passHasCome(info);
}

/** Whether the text read reaches as far as a cell. */
export function textReaches(cell: Cell): boolean {
  const info = graph.value && findTensor(graph.value, cell.tensor);
  if (!info) return false;
  const shape = shapeAt(info, reading.value.positions);
  return cell.index.every((at, axis) => at < shape[axis]!);
}

/** What an explanation is kept under; a run that grows has new ones. */
export function explanationKey(cell: Cell, direction: Direction): string {
  const place = placeOf(cell);
  const { target } = reading.value.positions;
  return `${place?.kind} ${place?.id} ${target} ${cell.tensor} ${cell.index.join(" ")} ${direction}`;
}

export function knownExplanation(cell: Cell, direction: Direction): Explanation | undefined {
  return kept.get(explanationKey(cell, direction));
}

/** The formula of the operation that makes a tensor, if one of its cells was explained before. */
export function knownFormula(tensor: string): string | undefined {
  return formulas.get(`${modelId.value} ${tensor}`);
}

/** @throws ApiError when the server refuses, DOMException when given up by `signal`. */
export async function explain(cell: Cell, direction: Direction, signal: AbortSignal): Promise<Explanation> {
  const key = explanationKey(cell, direction);
  const known = kept.get(key);
  if (known) return known;
  const place = placeOf(cell);
  if (!place) throw new DOMException("there is no run to explain yet", "AbortError");
  const model = modelId.value;
  const answer = await getExplanation(place, cell.tensor, cell.index, direction, signal);
  keep(kept, key, answer);
  if (answer.op) formulas.set(`${model} ${cell.tensor}`, answer.op.latex_marked);
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
