/** Cells read and fed in every family of transformers, against cases worked by hand from the papers' formulas. */

import { describe, expect, it } from "vitest";
import cellsOfServer from "../../../tests/fixtures/cells.json";
import answers from "../../../tests/fixtures/family_graphs.json";
import { bucketOf } from "./bucket";
import { type CellBox, cellsFed, cellsRead, maskOf, type Reading } from "./cells";
import { opMaking, shapeAt } from "./shape";
import type { Graph } from "./types";

const graphs = answers as unknown as Readonly<Record<string, Graph>>;
const tokens = [3, 1, 3, 0, 2];
const source = [5, 5, 1];
const reading: Reading = {
  positions: { target: tokens.length, source: source.length },
  lookup: (tensor, [at]) => (tensor === "token_types" ? 0 : (tensor === "tokens" ? tokens : source)[at!]),
};
const short = (boxes: readonly CellBox[]) =>
  boxes.map(
    ({ tensor, start, stop, part }) =>
      `${tensor.replace(/.*blocks\.\d+\./, "")}[${start.map((from, i) => (stop[i] === from + 1 ? from : `${from}:${stop[i]}`))}] ${part}`,
  );
const read = (family: string, tensor: string, ...index: number[]) =>
  short(cellsRead(graphs[family]!, tensor, index, reading));
const fed = (family: string, tensor: string, ...index: number[]) =>
  short(cellsFed(graphs[family]!, tensor, index, reading));

describe("what a cell reads", () => {
  it("of grouped queries is the head that they share", () => {
    expect(read("llama", "blocks.1.attn.hook_attn_scores_raw", 3, 4, 2)).toEqual([
      "attn.hook_rot_q[4,3,0:4] input",
      "attn.hook_rot_k[2,1,0:4] input",
    ]);
    expect(read("llama", "blocks.0.attn.hook_z", 4, 2, 1)).toEqual([
      "attn.hook_pattern[2,4,0:5] input",
      "attn.hook_v[0:5,1,1] input",
    ]);
  });

  it("of a rotary pair is its partner, half a head away", () => {
    expect(read("llama", "blocks.0.attn.hook_rot_q", 2, 0, 1)).toEqual([
      "attn.hook_q[2,0,1] input",
      "attn.hook_q[2,0,3] partner",
      "rotary_cos[2,1] cosine",
      "rotary_sin[2,1] sine",
    ]);
    expect(read("llama", "blocks.0.attn.hook_rot_q", 2, 0, 3)[1]).toBe("attn.hook_q[2,0,1] partner");
  });

  it("beyond the part that turns is the number itself", () => {
    expect(read("neox", "blocks.0.attn.hook_rot_k", 2, 0, 2)).toEqual([
      "attn.hook_k[2,0,2] input",
      "rotary_cos[2,2] cosine",
    ]);
  });

  it("of the kind of text is always the first row", () => {
    expect(read("bert", "hook_token_type_embed", 3, 5)).toEqual(["W_token_type[0,5] input"]);
  });

  it("across stacks runs along the source text", () => {
    expect(read("marian", "decoder.blocks.0.cross_attn.hook_z", 4, 0, 0)).toEqual([
      "cross_attn.hook_pattern[0,4,0:3] input",
      "cross_attn.hook_v[0:3,0,0] input",
    ]);
    expect(read("marian", "encoder.hook_embed", 1, 7)).toEqual(["W_E[5,7] input"]);
    expect(read("marian", "encoder.hook_embed", 3, 7)).toEqual([]); // the source has three tokens
  });

  it("of a relative position is the bias of its bucket", () => {
    expect(read("t5", "encoder.blocks.0.attn.hook_attn_scores", 1, 0, 2).at(-1)).toBe(
      "encoder.W_rel[6,1] bias",
    );
    expect(read("t5", "decoder.blocks.0.attn.hook_attn_scores_raw", 1, 4, 2).at(-1)).toBe(
      "decoder.W_rel[2,1] bias",
    );
  });

  it("under the stream's second name is what made the first", () => {
    expect(read("llama", "blocks.1.hook_resid_pre", 0, 0)).toEqual(
      read("llama", "blocks.0.hook_resid_post", 0, 0),
    );
  });
});

describe("what a cell feeds", () => {
  it("of a shared key are all the heads that share it", () => {
    expect(fed("llama", "blocks.0.attn.hook_rot_k", 2, 1, 0)).toEqual([
      "attn.hook_attn_scores_raw[2:4,0:5,2] input",
    ]);
  });

  it("of a rotary number are itself and its partner", () => {
    expect(fed("llama", "blocks.0.attn.hook_q", 2, 0, 1)).toEqual([
      "attn.hook_rot_q[2,0,1] input",
      "attn.hook_rot_q[2,0,3] partner",
    ]);
    expect(fed("neox", "blocks.0.attn.hook_q", 2, 0, 2)).toEqual(["attn.hook_rot_q[2,0,2] input"]);
  });

  it("of a raw score is nothing in the future", () => {
    expect(fed("llama", "blocks.0.attn.hook_attn_scores_raw", 0, 1, 2)).toEqual([]);
    expect(fed("llama", "blocks.0.attn.hook_attn_scores_raw", 0, 2, 1)).toEqual([
      "attn.hook_attn_scores[0,2,1] input",
    ]);
  });

  it("of a relative bias are all pairs at that distance", () => {
    // One step back, as the query sees it: keys 0..3 for queries 1..4.
    expect(fed("t5", "decoder.W_rel", 1, 0).map((box) => /\[(.*)\]/.exec(box)![1])).toEqual(
      Array.from({ length: 2 }, () => ["0,1,0", "0,2,1", "0,3,2", "0,4,3"]).flat(),
    );
  });

  it("of a tied embedding are the positions of the token, and its score everywhere", () => {
    expect(fed("llama", "W_E", 3, 5)).toEqual([
      "hook_embed[0,5] input",
      "hook_embed[2,5] input",
      "logits[0:5,3] input",
    ]);
  });

  it("of the source's memory are keys and values of every decoder block", () => {
    const feeds = cellsFed(graphs.marian!, "encoder.blocks.1.hook_resid_post", [2, 0], reading);
    expect(feeds.filter(({ tensor }) => tensor.includes("cross_attn")).map(({ start }) => start[0])).toEqual([
      2, 2, 2, 2,
    ]);
  });
});

it("a mask says which of its conditions does not hold", () => {
  const why = (family: string, tensor: string, ...index: number[]) =>
    maskOf(graphs[family]!, tensor, index)?.failed.text;
  expect(why("llama", "blocks.0.attn.hook_attn_scores", 0, 1, 2)).toBe("key_pos <= query_pos");
  expect(why("llama", "blocks.0.attn.hook_attn_scores", 0, 2, 2)).toBeUndefined();
  expect(why("neox", "blocks.0.attn.hook_rot_q", 0, 0, 3)).toBeUndefined();
});

it("a window hides what is too far back", () => {
  const graph = graphs.llama!;
  const windowed: Graph = {
    ...graph,
    ops: graph.ops.map((op) => ({
      ...op,
      reads: op.reads.map((it) => ({
        ...it,
        where: it.where && "key_pos <= query_pos and key_pos > query_pos - 2",
      })),
    })),
  };
  const name = "blocks.0.attn.hook_attn_scores";
  const seen = [0, 1, 2, 3, 4].map((key) => cellsRead(windowed, name, [0, 3, key], reading).length);
  expect(seen).toEqual([0, 0, 1, 1, 0]);
  expect(maskOf(windowed, name, [0, 3, 1])?.failed.text).toBe("key_pos > query_pos - 2");
  expect(cellsFed(windowed, `${name}_raw`, [0, 3, 1], reading)).toEqual([]);
});

it("buckets are T5's", () => {
  // transformers' T5Attention._relative_position_bucket, 32 buckets up to 128, keys 0..200 of query 0 and back.
  const far = [0, 1, 7, 8, 11, 12, 15, 16, 22, 23, 31, 32, 45, 46, 63, 64, 90, 91, 127, 128, 200];
  const both = {
    bucket: ["query_pos", "key_pos"],
    buckets: 32,
    max_distance: 128,
    bidirectional: true,
  } as const;
  expect(far.map((key) => bucketOf(0, key, both))).toEqual([
    0, 17, 23, 24, 24, 25, 25, 26, 26, 27, 27, 28, 28, 29, 29, 30, 30, 31, 31, 31, 31,
  ]);
  const back = { ...both, bidirectional: false };
  expect(bucketOf(3, 9, back)).toBe(0);
  expect([1, 15, 16, 18, 19, 20, 21, 112, 113, 200].map((query) => bucketOf(query, 0, back))).toEqual([
    1, 15, 16, 16, 17, 17, 18, 30, 31, 31,
  ]);
});

describe.each(Object.entries(graphs))("in %s", (_, graph) => {
  it("what is read feeds what read it, cell by cell", () => {
    const inside = ({ start, stop }: CellBox, index: readonly number[]) =>
      index.every((i, axis) => start[axis]! <= i && i < stop[axis]!);
    for (const { output } of graph.ops) {
      const info = graph.tensors.find(({ name }) => name === output)!;
      const shape = shapeAt(info, reading.positions);
      for (const index of [shape.map(() => 0), shape.map((size) => size - 1), shape.map((size) => size >> 1)])
        for (const box of cellsRead(graph, output, index, reading)) {
          const back = cellsFed(
            graph,
            box.tensor,
            box.stop.map((stop) => stop - 1),
            reading,
          );
          expect(
            back.some((it) => it.tensor === output && inside(it, index)),
            `${box.tensor} -> ${output}`,
          ).toBe(true);
        }
    }
  });

  it("everything but weights is made by an operation, and reads something", () => {
    for (const info of graph.tensors) {
      if (info.role === "weight") continue;
      const index = info.axes.map(() => 0);
      expect(cellsRead(graph, info.name, index, reading).length, info.name).toBeGreaterThan(0);
      if (!info.same_as) expect(opMaking(graph, info.name)).toBeDefined();
    }
  });
});

describe.each(Object.entries(cellsOfServer))(
  "as the server says, in %s",
  (family, { tokens: read, source_tokens, cells }) => {
    const now: Reading = {
      positions: { target: read.length, source: source_tokens.length },
      lookup: (tensor, [at]) =>
        tensor === "token_types" ? 0 : (tensor === "tokens" ? read : source_tokens)[at!],
    };
    const plain = (boxes: readonly CellBox[]) =>
      boxes.map(({ tensor, part, start, stop }) => JSON.stringify([tensor, part, start, stop])).sort();
    it.each(cells.map((cell) => [`${cell.tensor}[${cell.index}]`, cell] as const))("%s", (_, cell) => {
      const graph = graphs[family]!;
      const sorted = (boxes: readonly unknown[]) => boxes.map((box) => JSON.stringify(box)).sort();
      expect(plain(cellsRead(graph, cell.tensor, cell.index, now))).toEqual(sorted(cell.reads));
      expect(plain(cellsFed(graph, cell.tensor, cell.index, now))).toEqual(sorted(cell.feeds));
      expect(maskOf(graph, cell.tensor, cell.index) !== null).toBe(cell.hidden);
    });
  },
);
