/** The exact difference of a cell: both runs' float32 numbers from the server, subtracted in float32. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TensorInfo } from "../../graph/types";
import { ApiError } from "../../net/rest";
import { Difference } from "../../sources/difference";
import { exactValue } from "../../sources/exact-cells";
import { comparison, pairing, partnerOf } from "../../state/difference";
import { drawn } from "../../state/source";
import { type Cell, run } from "../../state/store";

export interface CellDifference {
  readonly here: number;
  readonly there: number;
  /** Null while it is not known. */
  readonly less: number | null;
  /** There is nothing to compare with. */
  readonly alone: boolean;
}

const REST = 90;
const UNKNOWN: CellDifference = { here: 0, there: 0, less: null, alone: false };

export function useDifference(cell: Cell, info: TensorInfo): CellDifference {
  const found = useSignal<{ key: string; here: number; there: number } | null>(null);
  const pairs = pairing.value;
  const now = drawn.value instanceof Difference ? drawn.value : null;
  const [mine, theirs] = [run.value?.id, comparison.value?.run];
  const fits = pairs !== null && pairs.run === mine && pairs.minus === theirs;
  const partner = fits ? partnerOf(info, cell.index, pairs) : null;
  const key = partner ? `${mine} ${theirs} ${cell.tensor} ${cell.index} ${partner}` : "";
  useEffect(() => {
    if (!partner || !now) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const [here, there] = await Promise.all([
          exactValue(now.own, cell.tensor, cell.index, abort.signal),
          exactValue(now.other, cell.tensor, partner, abort.signal),
        ]);
        found.value = { key, here, there };
      } catch (error) {
        // A cell that is not computed yet has no difference yet.
        const expected =
          error instanceof ApiError || error instanceof RangeError || error instanceof DOMException;
        if (!expected) throw error;
      }
    }, REST);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  if (fits && !partner) return { ...UNKNOWN, alone: true };
  if (!key || found.value?.key !== key) return UNKNOWN;
  const { here, there } = found.value;
  return { here, there, less: subtracted(here, there), alone: false };
}

/** As the server subtracts: a score that is masked in either run stays masked. */
const subtracted = (here: number, there: number): number =>
  here === Number.NEGATIVE_INFINITY || there === Number.NEGATIVE_INFINITY
    ? Number.NEGATIVE_INFINITY
    : Math.fround(here - there);
