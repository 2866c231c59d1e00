/** The numbers of a box of cells that the map does not hold: far away, it has means of cells, not the cells. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { boxSize, type CellBox } from "../graph/cells";
import { ApiError } from "../net/rest";
import { valuesOf } from "../net/values";
import { comparison } from "../state/difference";
import { sourceOf } from "./cell-value";

/** More cells are not fetched for a picture of a few of them. */
const MOST = 4096;
const REST = 150;

/** All numbers of a box, its last axis running fastest; null while they are not here, or not `wanted`. */
export function useBoxValues(
  { tensor, start, stop }: Pick<CellBox, "tensor" | "start" | "stop">,
  wanted: boolean,
): Float32Array | null {
  const come = useSignal<{ key: string; values: Float32Array } | null>(null);
  const small = boxSize({ start, stop }) <= MOST;
  // Where the map shows a difference, the run's own numbers are not what it shows.
  const source = wanted && small && !comparison.value ? sourceOf(tensor) : null;
  const key = source ? `${source.id} ${tensor} ${start.join(" ")} ${stop.join(" ")}` : "";
  useEffect(() => {
    if (!source) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        come.value = { key, values: await valuesOf(source, tensor, start, stop, abort.signal) };
      } catch (error) {
        // The explanation beside it says what is wrong; here there is no picture.
        if (!(error instanceof ApiError || error instanceof DOMException)) throw error;
      }
    }, REST);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  return come.value?.key === key ? come.value.values : null;
}
