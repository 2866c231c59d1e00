import { describe, expect, it } from "vitest";
import { cellsFed, cellsRead, type Reading } from "./cells";
import { decoderGraph, SPECS } from "./fixtures";
import { shapeAt } from "./shape";

const graph = decoderGraph(SPECS.sort!);
const tokens = [2, 0, 1, 0, 2];
const reading: Reading = {
  positions: { target: tokens.length, source: 0 },
  lookup: (tensor, [position]) => (tensor === "tokens" ? tokens[position!] : undefined),
};
const read = (tensor: string, ...index: number[]) => cellsRead(graph, tensor, index, reading);
const fed = (tensor: string, ...index: number[]) => cellsFed(graph, tensor, index, reading);

describe("the cells a cell reads", () => {
  it("are a whole row and a whole column where an axis is contracted", () => {
    expect(read("blocks.1.attn.hook_q", 3, 2, 7)).toEqual([
      { tensor: "blocks.1.ln1.hook_out", start: [3, 0], stop: [4, 48], part: "input" },
      { tensor: "blocks.1.attn.W_Q", start: [2, 0, 7], stop: [3, 48, 8], part: "input" },
      { tensor: "blocks.1.attn.b_Q", start: [2, 7], stop: [3, 8], part: "bias" },
    ]);
  });

  it("take contracted token axes as long as the text, not as the context", () => {
    const [pattern, values] = read("blocks.0.attn.hook_z", 4, 1, 0);
    expect(pattern).toMatchObject({ start: [1, 4, 0], stop: [2, 5, 5] });
    expect(values).toMatchObject({ start: [0, 1, 0], stop: [5, 2, 1] });
  });

  it("are none where the mask hides the future", () => {
    expect(read("blocks.0.attn.hook_attn_scores", 0, 1, 2)).toEqual([]);
    expect(read("blocks.0.attn.hook_attn_scores", 0, 2, 2)).toHaveLength(1);
  });

  it("follow a look-up to the token's row", () => {
    expect(read("hook_embed", 2, 9)).toEqual([
      { tensor: "W_E", start: [1, 9], stop: [2, 10], part: "input" },
    ]);
  });

  it("are none for a weight", () => {
    expect(read("W_E", 0, 0)).toEqual([]);
  });
});

describe("the cells a cell feeds", () => {
  it("are a whole row of what a contraction makes", () => {
    expect(fed("blocks.0.attn.hook_z", 4, 1, 0)).toEqual([
      { tensor: "blocks.0.attn.hook_result", start: [4, 1, 0], stop: [5, 2, 48], part: "input" },
      { tensor: "blocks.0.hook_attn_out", start: [4, 0], stop: [5, 48], part: "input" },
    ]);
  });

  it("of the embedding are the positions of that token", () => {
    const positions = fed("W_E", 0, 5).filter(({ tensor }) => tensor === "hook_embed");
    expect(positions.map(({ start }) => start)).toEqual([
      [1, 5],
      [3, 5],
    ]);
  });

  it("and the cells read are each other's inverse", () => {
    const holds = (start: readonly number[], stop: readonly number[], index: readonly number[]) =>
      index.every((i, axis) => start[axis]! <= i && i < stop[axis]!);
    for (const { output } of graph.ops) {
      const shape = shapeAt(graph.tensors.find(({ name }) => name === output)!, reading.positions);
      const index = shape.map((size) => size - 1);
      for (const box of cellsRead(graph, output, index, reading)) {
        const back = cellsFed(graph, box.tensor, box.start, reading);
        expect(
          back.some(({ tensor, start, stop }) => tensor === output && holds(start, stop, index)),
          `${box.tensor} feeds ${output}`,
        ).toBe(true);
      }
    }
  });
});
