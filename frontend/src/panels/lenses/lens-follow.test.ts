import { expect, test } from "vitest";
import { decoderGraph } from "../../graph/fixtures";
import type { LensParameter } from "../../net/lenses";
import { chosenFor } from "./lens-follow";

const graph = decoderGraph({
  layers: 2,
  heads: 3,
  d_model: 12,
  d_head: 4,
  d_mlp: 48,
  d_vocab: 9,
  positions: 16,
});
const index = (name: string, size: number): LensParameter => ({
  name,
  title: name,
  kind: "index",
  default: 0,
  of: name,
  size,
  least: null,
  most: null,
  choices: [],
  empty: "",
});
const PATTERN = { tensor: "blocks.1.attn.hook_pattern", index: [2, 5, 3] };

test("block, head and positions are those of the cell chosen in the map", () => {
  const chosen = (name: string, size = 100) => chosenFor(index(name, size), PATTERN, graph, null);
  expect(["layer", "head", "query", "key", "pos"].map((name) => chosen(name))).toEqual([1, 2, 5, 3, 5]);
  expect(chosen("neuron")).toBeNull();
  expect(chosen("query", 5)).toBeNull();
});

test("a neuron is one of the MLP's cells, and the token chosen in the text comes first", () => {
  const cell = { tensor: "blocks.0.mlp.hook_post", index: [4, 7] };
  expect(chosenFor(index("neuron", 100), cell, graph, null)).toBe(7);
  expect(chosenFor(index("pos", 100), cell, graph, 2)).toBe(2);
  expect(chosenFor(index("pos", 100), null, graph, null)).toBeNull();
});
