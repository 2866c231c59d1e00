/** Shares that are zero because their scores are masked: a softmax makes a true zero of what a mask hides, and the map
 *  shows it as hidden, not as a zero like any other. Which they are follows from the graph's mask alone. */

import { opMaking } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import { type Comparison, comparisons } from "../../graph/where";
import type { Sheet } from "../plates/sheets";

/** Whether a square of cells, `size` a side from a row and column of a sheet, is masked throughout. */
export type Mask = (row: number, column: number, size: number) => boolean;

type SheetAxes = Pick<Sheet, "source" | "rowAxis" | "columnAxis">;

/** The mask of the scores that a sheet's shares are made of; null where there is none. */
export function maskOfShares(graph: Graph, { source, rowAxis, columnAxis }: SheetAxes): Mask | null {
  const made = opMaking(graph, source);
  const score = made?.kind === "softmax" && made.reads.find(({ part }) => part === "input");
  const masking = score ? opMaking(graph, score.tensor) : undefined;
  const axes = graph.tensors.find(({ name }) => name === source)?.axes;
  if (masking?.kind !== "mask" || !axes || rowAxis === null) return null;
  const [rows, columns] = [axes[rowAxis]!, axes[columnAxis]!];
  const sides = (comparison: Comparison): boolean =>
    [comparison.left, comparison.right].every((axis) => axis === null || axis === rows || axis === columns);
  const judged = masking.reads.flatMap(({ where }) => comparisons(where)).filter(sides);
  if (judged.length === 0) return null;
  return (row, column, size) =>
    judged.some(({ left, relation, right, offset }) => {
      // The cell of the square for which the comparison holds first.
      const back = size - 1;
      const [low, high] = relation === ">" ? [back, 0] : [0, back];
      const at = (axis: string, more: number): number => (axis === rows ? row : column) + more;
      const bound = (right === null ? 0 : at(right, high)) + offset;
      const value = at(left, low);
      return relation === "<=" ? value > bound : relation === "<" ? value >= bound : value <= bound;
    });
}
