/** The value of a cell for the panels: what the map holds at once, the exact number when it has come. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { findTensor } from "../../graph/shape";
import { ApiError } from "../../net/rest";
import { exactValue, type Source } from "../../net/values";
import { isComputed } from "../../session/explanations";
import { comparison } from "../../state/difference";
import { type Cell, graph, modelId, run } from "../../state/store";

export interface CellValue {
  readonly value: number | null;
  /** From the map's half floats; the exact one is on its way. */
  readonly approximate: boolean;
  readonly problem: string | null;
}

const REST = 90;

/** Where the numbers of a tensor are, or null while there are none. */
export function sourceOf(tensor: string): Source | null {
  const info = graph.value && findTensor(graph.value, tensor);
  if (!info || !modelId.value) return null;
  if (info.role === "weight") return { kind: "weights", id: modelId.value };
  return run.value?.id ? { kind: "activations", id: run.value.id } : null;
}

/** `held` is what the map holds for the cell now. */
export function useCellValue(cell: Cell | null, held: number | null): CellValue {
  const exact = useSignal<{ key: string; value: number | null; problem: string | null } | null>(null);
  const source = cell && isComputed(cell) ? sourceOf(cell.tensor) : null;
  // While the map holds differences it does not know the number itself.
  const known = comparison.value && source?.kind === "activations" ? null : held;
  const key = cell && source ? `${source.id} ${cell.tensor} ${cell.index.join(" ")}` : "";
  // A cell that is not computed yet is asked for again once the map has its number.
  const here = held !== null;
  useEffect(() => {
    if (!cell || !source) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const value = await exactValue(source, cell.tensor, cell.index, abort.signal);
        exact.value = { key, value, problem: null };
      } catch (error) {
        if (error instanceof ApiError || error instanceof RangeError)
          exact.value = { key, value: null, problem: error.message };
        else if (!(error instanceof DOMException)) throw error;
      }
    }, REST);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [key, here]);
  const come = exact.value?.key === key ? exact.value : null;
  if (come && come.value !== null) return { value: come.value, approximate: false, problem: null };
  return { value: known, approximate: true, problem: come?.problem ?? null };
}
