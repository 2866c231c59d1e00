/** The heads of a board in the order asked for: by place or by a measure, those below a bound left out. */

import type { HeadMeasures } from "../../net/lenses";
import type { BoardOrder } from "../../state/attention";

export interface BoardHead {
  /** Place among the board's layers. */
  readonly row: number;
  readonly head: number;
  /** The value of the measure by which the heads are sorted. */
  readonly value: number | null;
}

/** Heads that the measure says nothing of come last, whichever way the others run. */
export function orderedHeads(
  layers: number,
  heads: number,
  measures: HeadMeasures,
  { measure, upward }: BoardOrder,
  least: number | null,
): readonly BoardHead[] {
  const values = measure === null ? undefined : measures[measure];
  const all = Array.from({ length: layers * heads }, (_, at): BoardHead => {
    const [row, head] = [Math.floor(at / heads), at % heads];
    return { row, head, value: values?.[row]?.[head] ?? null };
  });
  if (!values) return all;
  const kept = least === null ? all : all.filter(({ value }) => value !== null && value >= least);
  const known = kept.filter(({ value }) => value !== null);
  known.sort((a, b) => (upward ? 1 : -1) * (a.value! - b.value!));
  return [...known, ...kept.filter(({ value }) => value === null)];
}

/** The least and the largest value of a measure; null where it has none. */
export function extent(values: HeadMeasures[string] | undefined): readonly [number, number] | null {
  const known = (values ?? []).flat().filter((value) => value !== null);
  return known.length > 0 ? [Math.min(...known), Math.max(...known)] : null;
}
