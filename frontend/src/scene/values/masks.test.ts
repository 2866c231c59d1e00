import { expect, test } from "vitest";
import { maskOf } from "../../graph/cells";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../../graph/fixtures";
import { ABSENT_SHARES, MASKED_SHARES, sharesOf } from "./encode";
import { ABSENT, MASKED_ZERO } from "./half";
import { maskOfShares } from "./masks";

const graphs = [
  ...Object.entries(SPECS).map(([name, { capacity: _, ...spec }]) => ({ name, graph: decoderGraph(spec) })),
  ...FAMILIES.map(({ name, family, spec }) => ({ name, graph: familyGraph(family, spec) })),
];
const N = 9;

test.each(graphs)(
  "in $name a share is hidden where its score is, cell by cell and square by square",
  ({ graph }) => {
    for (const { name, axes, role } of graph.tensors.filter(({ role }) => role !== "weight")) {
      const [rowAxis, columnAxis] = [axes.length - 2, axes.length - 1];
      if (rowAxis < 0) continue;
      const mask = maskOfShares(graph, { source: name, rowAxis, columnAxis });
      const softmax = graph.ops.find(({ output }) => output === name)?.kind === "softmax";
      const score = graph.ops.find(({ output }) => output === name)?.reads[0]?.tensor;
      if (!softmax || role !== "probability" || !score) {
        expect(mask).toBeNull();
        continue;
      }
      const hidden = (row: number, column: number): boolean =>
        maskOf(graph, score, [...axes.slice(2).map(() => 0), row, column]) !== null;
      for (let row = 0; row < N; row++)
        for (let column = 0; column < N; column++)
          expect(mask?.(row, column, 1) ?? false, `${name} ${row} ${column}`).toBe(hidden(row, column));
      for (let row = 0; row + 2 <= N; row += 2)
        for (let column = 0; column + 2 <= N; column += 2) {
          const all = [0, 1, 2, 3].every((i) => hidden(row + (i >> 1), column + (i & 1)));
          expect(mask?.(row, column, 2) ?? false, `${name} ${row} ${column}`).toBe(all);
        }
    }
  },
);

test("hidden, empty and zero are three colours", () => {
  expect(sharesOf(0, 1)).toBe(0);
  expect(sharesOf(MASKED_ZERO, 1)).toBe(MASKED_SHARES);
  expect(sharesOf(ABSENT, 1)).toBe(ABSENT_SHARES);
});
