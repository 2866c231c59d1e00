import { describe, expect, it } from "vitest";
import { boxSize, type CellBox, cellsRead, type Reading } from "../../graph/cells";
import { decoderGraph, SPECS } from "../../graph/fixtures";
import { layout } from "../../layout/layout";
import { cellPosition, rectangles } from "../../layout/plate-cell";
import type { Explanation } from "../../net/explain";
import type { PlacesPort, ValuesPort } from "../../scene/ports";
import { rehearsal } from "./build-cell-script";

const { capacity: _, ...spec } = SPECS.sort!;
const graph = decoderGraph(spec);
const reading: Reading = { positions: { target: 6, source: 0 }, lookup: () => 1 };
const drawn = layout(graph, { capacity: 11, aspect: 0.84 });
const map = {
  layout: drawn,
  place: ({ tensor, index }: { tensor: string; index: readonly number[] }) =>
    cellPosition(drawn, tensor, index) ?? null,
  valueAt: () => 0.5,
} as unknown as PlacesPort & ValuesPort;

/** A cell's explanation with all that the sheet is written from. */
function explained(tensor: string, index: readonly number[], steps: readonly string[] = []): Explanation {
  const boxes = cellsRead(graph, tensor, index, reading);
  const long = boxes.filter((box) => boxSize(box) > 1);
  const rows = steps.length > 0 ? [] : long.length > 0 ? long : boxes;
  const count = Math.max(0, ...rows.map(boxSize));
  const cell = (box: CellBox, n: number) => ({
    tensor: box.tensor,
    index: box.start.map((from, axis) => (box.stop[axis]! - from > 1 ? from + n : from)),
    value: 0.5,
  });
  const terms = Array.from({ length: Math.min(8, count) }, (_, n) => ({
    operands: rows.map((box) => cell(box, n)),
    value: 0.25,
  }));
  return {
    tensor,
    index,
    operands: boxes.map((box) => ({ ...box, count: boxSize(box), values: [0.5] })),
    terms: rows.length > 0 ? terms : [],
    rest: count > 8 ? { count: count - 8, sum: 1 } : null,
    combine: "sum",
    bias: null,
    captured: 1,
    result: 1,
    playback: {
      merging: rows.length > 1 ? "Each pair is multiplied" : null,
      sign: "×",
      steps: steps.map((sign) => ({ joins: null, sign, becomes: 0.1, words: "" })),
    },
  } as unknown as Explanation;
}

const cases = [
  ["blocks.0.attn.hook_q", [3, 0, 9]],
  ["blocks.1.attn.hook_attn_scores_raw", [0, 4, 2]],
  ["blocks.0.attn.hook_z", [4, 0, 3]],
  ["blocks.2.mlp.hook_pre", [3, 100]],
  ["blocks.0.hook_mlp_out", [3, 20]],
  ["blocks.0.hook_resid_mid", [3, 9]],
] as const;

describe.each(cases)("the sheet for a cell of %s", (tensor, index) => {
  const answer = explained(tensor, index);

  it.each([
    [597, 712],
    [390, 420],
    [1200, 900],
  ])("lies beside the cells that it speaks of, in a window of %i by %i", (width, height) => {
    const { slip, extent } = rehearsal(map, answer, width, height).script;
    const [x, y] = slip.corner;
    const boxes = [...answer.operands, { tensor, start: index, stop: index.map((at) => at + 1) }];
    const places = boxes.flatMap((box) => rectangles(drawn, box));
    expect(places.length).toBeGreaterThan(1);
    for (const { plate, row, column, rows, columns } of places) {
      const [left, top] = [plate.x + column, plate.y + row];
      const apart = left >= x + extent[0] || left + columns <= x || top >= y + extent[1] || top + rows <= y;
      expect(apart, `${plate.tensor} under the sheet`).toBe(true);
    }
  });
});

it("is no larger than what stands on it: one operand takes one column", () => {
  const { script } = rehearsal(map, explained("blocks.0.mlp.hook_post", [3, 9], ["gelu"]), 597, 712);
  const [columns, rows] = script.extent.map((length) => length / script.slip.cell) as [number, number];
  expect(columns).toBeLessThan(9);
  expect(rows).toBeLessThan(6);
});
