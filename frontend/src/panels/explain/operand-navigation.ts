/** Walking along an explanation: where a click on an operand leads, and which operand carries a number on. */

import type { ExplainedCell, Explanation, Operand } from "../../net/explain";
import type { FlightPort, PickPort } from "../../scene/ports";
import { direction, trail, walked } from "../../state/explain";
import { type Cell, hovered, selected } from "../../state/store";
import { choose } from "../shared/actions";

/** The cell of an operand that matters most: of the largest term that reads it, or its first. */
export function chiefCell(answer: Explanation, operand: Operand): Cell {
  const inside = ({ tensor, index }: ExplainedCell) =>
    tensor === operand.tensor &&
    index.every((at, axis) => operand.start[axis]! <= at && at < operand.stop[axis]!);
  for (const term of answer.terms) {
    const found = term.operands.find(inside);
    if (found) return { tensor: found.tensor, index: found.index };
  }
  return { tensor: operand.tensor, index: operand.start };
}

/** The cell that the number mainly goes back to: the operation's first operand, which is the residual stream where
 *  there is one. Null for weights, which come from nowhere. */
export function cellBefore(answer: Explanation): Cell | null {
  const first = answer.operands.find(({ count }) => count > 0);
  return first ? chiefCell(answer, first) : null;
}

/** Goes to a cell, in the inspector: the trail grows, the eye follows, and cells on it are gone back to. */
export function walkTo(map: (PickPort & FlightPort) | null, cell: Cell): void {
  // The card at the pointer would go on telling of the cell left behind.
  hovered.value = null;
  const before = selected.value;
  const path = trail.value.length > 0 ? trail.value : before ? [before] : [];
  direction.value = "backward";
  choose(map, cell, true);
  trail.value = walked(path, cell);
}
