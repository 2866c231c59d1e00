/** The value of a cell for the panels: what the map holds at once, the exact number when it has come. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getTensor } from "../../graph/shape";
import { ApiError } from "../../net/rest";
import { exactValue } from "../../sources/exact-cells";
import { drawn, isComputed, source } from "../../state/source";
import type { Cell } from "../../state/store";

export interface CellValue {
  readonly value: number | null;
  /** From the map's half floats; the exact one is on its way. */
  readonly approximate: boolean;
  readonly problem: string | null;
}

const REST = 90;

/** `held` is what the map holds for the cell now. */
export function useCellValue(cell: Cell | null, held: number | null): CellValue {
  const exact = useSignal<{ key: string; value: number | null; problem: string | null } | null>(null);
  const now = cell && isComputed(cell) ? source.value : null;
  const info = cell && now && getTensor(now.graph, cell.tensor);
  // While the map holds differences it does not know the number itself.
  const known = drawn.value !== source.value && info && info.role !== "weight" ? null : held;
  const key = cell && now && info ? `${now.keyOf(info)} ${cell.tensor} ${cell.index.join(" ")}` : "";
  // A cell that is not computed yet is asked for again once the map has its number.
  const here = held !== null;
  useEffect(() => {
    if (!cell || !now) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const value = await exactValue(now, cell.tensor, cell.index, abort.signal);
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
