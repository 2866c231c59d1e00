/** Explanations as the server gives them: fetched once, kept, and shared by all who show them. */

import { findTensor } from "../graph/shape";
import { type Explanation, getExplanation, type Place } from "../net/explain";
import { type Cell, graph, modelId, run } from "../state";
import { type Direction, reading } from "../state/explain";

const KEPT = 300;
const kept = new Map<string, Explanation>();
const formulas = new Map<string, string>();

/** Where a cell is explained: in the run, or, for a weight, in the model when there is no run. */
export function placeOf(cell: Cell): Place | null {
  const info = graph.value && findTensor(graph.value, cell.tensor);
  const now = run.value;
  if (!info || !modelId.value) return null;
  if (now?.id) return { kind: "runs", id: now.id };
  return info.role === "weight" ? { kind: "models", id: modelId.value } : null;
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
  kept.set(key, answer);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  if (answer.op) formulas.set(`${model} ${cell.tensor}`, answer.op.latex_marked);
  return answer;
}
