/** Explanations of the made-up graph: what the numbers were computed from, said as the port wants it. */

import { type CellBox, cellsFed } from "../../src/graph/cells";
import { getTensor, opMaking } from "../../src/graph/shape";
import type { Direction, Explanation, Fed, Operand } from "../../src/net/explain";
import type { WordedOperation } from "../../src/net/ops";
import type { SourceCell } from "../../src/sources/port";
import { graph } from "./graph";
import { cellsOf, numberAt, operandsOf, reading, shapeOf, valuesOf } from "./numbers";

const LETTERS: Readonly<Record<string, string>> = { pos: "t", d_model: "d", d_mlp: "m", d_vocab: "v" };

/** An operation in words: its sentence, and a formula of its tensors' names. */
export function inWords(number: number): WordedOperation {
  const { kind, output, title, equation, constants, reads } = graph.ops[number]!;
  const name = (tensor: string) => `\\text{${tensor.split(".").at(-1)!.replaceAll("_", "\\_")}}`;
  const latex = `${name(output)} = ${reads.map((read) => name(read.tensor)).join("\\cdot ")}`;
  const axes = getTensor(graph, output).axes;
  return {
    number,
    output,
    kind,
    title,
    equation,
    latex,
    latex_marked: latex,
    term_latex: null,
    sentence: `Made up for a test: ${title}.`,
    symbols: Object.fromEntries(axes.map((axis) => [LETTERS[axis] ?? axis, axis])),
    constants,
  };
}

/** The arithmetic of a cell, or what reads it. */
export function explain({ tensor, index }: SourceCell, direction: Direction): Explanation {
  const info = getTensor(graph, tensor);
  const op = opMaking(graph, tensor);
  const value = numberAt(tensor, index);
  const boxes = direction === "backward" ? operandsOf(tensor, index) : [];
  const words = op && inWords(graph.ops.indexOf(op));
  return {
    model: "made up",
    run: null,
    tensor,
    stored_as: tensor,
    role: info.role,
    index,
    axes: info.axes,
    shape: shapeOf(info),
    direction,
    captured: value,
    op: words && direction === "backward" ? { ...words, latex_values: words.latex } : null,
    operands: boxes.map(operand),
    combine: op?.kind === "einsum" || op?.kind === "add" ? "sum" : null,
    terms: op && direction === "backward" ? termsOf(op.kind, boxes) : [],
    rest: null,
    playback: { merging: null, sign: "+", steps: [] },
    bias: null,
    scale: null,
    result: value,
    difference: 0,
    tolerance: 0,
    agrees: true,
    masked: null,
    changed: null,
    lines: [],
    feeds: direction === "forward" ? cellsFed(graph, tensor, index, reading).map(fed) : [],
    feeds_left_out: 0,
  };
}

/** Of a sum of products each product, of a sum each number. */
function termsOf(kind: string, boxes: readonly CellBox[]): Explanation["terms"] {
  const cells = boxes.map((box) =>
    cellsOf(box).map((index) => ({
      tensor: box.tensor,
      index,
      value: numberAt(box.tensor, index),
    })),
  );
  if (kind === "add") return cells.flat().map((cell) => ({ operands: [cell], value: cell.value }));
  const [left = [], right = []] = cells;
  if (kind !== "einsum") return [];
  return left.map((cell, i) => ({ operands: [cell, right[i]!], value: cell.value * right[i]!.value }));
}

function operand(box: CellBox, read: number): Operand {
  const info = getTensor(graph, box.tensor);
  const values = valuesOf(box);
  return {
    read,
    part: box.part,
    tensor: box.tensor,
    role: info.role,
    axes: info.axes,
    start: box.start,
    stop: box.stop,
    count: values.length,
    index_text: box.start.map((start, axis) => `${start}:${box.stop[axis]}`).join(", "),
    stored_as: box.tensor,
    transposed: false,
    values,
  };
}

function fed({ tensor, start, stop, part }: CellBox): Fed {
  const { kind, title } = opMaking(graph, tensor)!;
  const { axes } = getTensor(graph, tensor);
  return {
    tensor,
    part,
    kind,
    title,
    axes,
    start,
    stop,
    count: cellsOf({ start, stop }).length,
    condition: null,
  };
}
