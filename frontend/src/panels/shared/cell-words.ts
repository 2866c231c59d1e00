/** Cells in words: which one it is, by its axes, and why a mask hides it. */

import { calledTokens } from "../../characters";
import { tokenText } from "../../format";
import { maskOf } from "../../graph/cells";
import { findTensor, isTokenAxis, opMaking } from "../../graph/shape";
import type { Graph, TensorInfo } from "../../graph/types";
import { labelOf } from "../../layout/labels";
import { sourceText } from "../../state/source";
import { type Cell, run } from "../../state/store";

/** The token at an index of an axis, in quotation marks; nothing for axes without tokens. */
export function tokenAt(tensor: TensorInfo, axis: number, index: number): string {
  const name = tensor.axes[axis] ?? "";
  if (tensor.role === "weight" || !isTokenAxis(name)) return "";
  const { source, tokens } = sourceText.value;
  const token = calledTokens(tensor.source_axes.includes(name) ? source : tokens)[index];
  return token ? `“${tokenText(token.text)}”` : "";
}

/** `head 1 · query_pos 4 “A” · key_pos 2 “C”`. */
export function placeWords(tensor: TensorInfo, index: readonly number[]): string {
  return tensor.axes
    .map((axis, at) =>
      [axis, index[at], tokenAt(tensor, at, index[at] ?? 0)].filter((it) => it !== "").join(" "),
    )
    .join(" · ");
}

/** The short name of a tensor: of a tied weight without what it is tied to. */
export function shortLabel(tensor: TensorInfo): string {
  return labelOf(tensor).split(" = ")[0]!;
}

/** The short name of a cell's tensor, with the block that it stands in. */
export function shortName(tensor: TensorInfo): string {
  const where = tensor.layer === null ? "" : `block ${tensor.layer} · `;
  return `${where}${shortLabel(tensor)}`;
}

/** Why a cell has no number: it is room for tokens to come, or the pass has not come to it. */
export function emptyWords(tensor: TensorInfo, index: readonly number[]): string {
  const now = run.value;
  if (tensor.role !== "weight" && now) {
    const beyond = tensor.axes.some((axis, at) => {
      const tokens = tensor.source_axes.includes(axis) ? now.source : now.tokens;
      return isTokenAxis(axis) && (index[at] ?? 0) >= tokens.length;
    });
    const more = now.capacity - now.tokens.length;
    if (beyond && more > 0) return `room for ${more === 1 ? "one more token" : `${more} more tokens`}`;
  }
  return "not computed yet";
}

/** Why a cell is hidden, or what it is read from is; null where nothing is. */
export function maskWords(graph: Graph, cell: Cell): string | null {
  const masked = maskOf(graph, cell.tensor, cell.index);
  if (!masked) {
    const op = opMaking(graph, cell.tensor);
    const score = op?.kind === "softmax" ? op.reads.find(({ part }) => part === "input") : undefined;
    const words = score && maskWords(graph, { tensor: score.tensor, index: cell.index });
    return words ? `Its score is masked, so its share is 0. ${words}` : null;
  }
  const info = findTensor(graph, masked.op.output)!;
  const at = (axis: string) => {
    const i = info.axes.indexOf(axis);
    return `${cell.index[i]} ${tokenAt(info, i, cell.index[i] ?? 0)}`.trim();
  };
  const { left, right, relation, offset } = masked.failed;
  if (right === null) return `Masked: ${left} ${at(left)} is not below ${offset}.`;
  if (relation === "<=")
    return `Masked: key ${at(left)} comes after query ${at(right)}, and no query sees what comes later.`;
  return `Masked: key ${at(left)} is ${-offset} or more positions before query ${at(right)}, out of its window.`;
}
