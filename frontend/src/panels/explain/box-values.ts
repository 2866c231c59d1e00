/** The numbers of a box of cells that the map does not hold: far away, it has means of cells, not the cells. */

import { boxSize, type CellBox } from "../../graph/cells";
import { getTensor } from "../../graph/shape";
import { drawn, source, sourceOf } from "../../state/source";
import { useAnswer } from "../shared/use-lens";

/** More cells are not fetched for a picture of a few of them. */
const MOST = 4096;

/** All numbers of a box, its last axis running fastest; null while they are not here, or not `wanted`. */
export function useBoxValues(
  { tensor, start, stop }: Pick<CellBox, "tensor" | "start" | "stop">,
  wanted: boolean,
): Float32Array | null {
  const small = boxSize({ start, stop }) <= MOST;
  // Where the map shows a difference, the run's own numbers are not what it shows.
  const now = wanted && small && drawn.value === source.value ? sourceOf(tensor) : null;
  const key =
    now && `${now.keyOf(getTensor(now.graph, tensor))} ${tensor} ${start.join(" ")} ${stop.join(" ")}`;
  // A refusal is no matter here: the explanation beside it says what is wrong.
  const { value } = useAnswer(key, async (signal) => ({
    key,
    values: (await now!.cells(tensor, start, stop, signal)).values,
  }));
  return value?.key === key ? value.values : null;
}
