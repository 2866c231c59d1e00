import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import { cellCount, getTensor, shapeAt } from "../graph/shape";
import { type OutlineNode, outlineOf, pathTo, tableCell, tableSize, visibleNodes } from "./outline";

const POSITIONS = { target: 6, source: 4 };
const sort = decoderGraph(SPECS.sort!);

const namesTo = (root: OutlineNode, tensor: string, index: readonly number[]) =>
  pathTo(root, { tensor, index }).map(({ name }) => name);

describe("the path to a cell", () => {
  const root = outlineOf(sort, POSITIONS, "sort");
  it.each([
    ["blocks.1.attn.hook_pattern", [2, 5, 0], "sort › Block 1 › Attention › Head 2 › pattern › 5"],
    ["blocks.0.attn.hook_q", [3, 1, 7], "sort › Block 0 › Attention › Head 1 › q › 3"],
    ["blocks.2.mlp.W_out", [70, 3], "sort › Block 2 › MLP › W_out › 64 to 127 › 70"],
    ["blocks.0.ln1.hook_scale", [4], "sort › Block 0 › Norm ln1 › ln1 scale › 0"],
    ["blocks.0.hook_resid_mid", [2, 1], "sort › Block 0 › resid_mid › 2"],
    ["W_E", [2, 1], "sort › Embedding › W_E › 2"],
    ["ln_final.hook_out", [1, 1], "sort › Output › Final norm › ln final › 1"],
    ["probabilities", [5, 2], "sort › Output › probabilities › 5"],
  ])("%s%j", (tensor, index, path) => {
    expect(namesTo(root, tensor, index).join(" › ")).toBe(path);
  });

  it("ends at the tensor for a position that is not read yet, and is empty for what is nowhere", () => {
    expect(namesTo(root, "probabilities", [9, 0]).at(-1)).toBe("probabilities");
    expect(namesTo(root, "no.such", [0])).toEqual([]);
  });

  it("names the stacks of an encoder-decoder, and its texts have lengths of their own", () => {
    const t5 = FAMILIES.find(({ family }) => family === "t5")!;
    const tree = outlineOf(familyGraph("t5", { ...t5.spec, layers: 2 }), POSITIONS, "t5");
    expect(tree.children().map(({ name }) => name)).toEqual(["Embedding", "Encoder", "Decoder", "Output"]);
    const cross = namesTo(tree, "decoder.blocks.1.cross_attn.hook_pattern", [0, 5, 3]);
    expect(cross.join(" › ")).toBe("t5 › Decoder › Block 1 › Cross-attention › Head 0 › cross pattern › 5");
    const keys = pathTo(tree, { tensor: "encoder.blocks.0.attn.hook_pattern", index: [0, 0, 0] }).at(-1)!;
    expect(tableSize(keys.leaf!)).toEqual({ rows: 4, columns: 4 });
  });
});

it.each(FAMILIES)(
  "every number of $family stands in one leaf, and its table finds it",
  ({ family, spec }) => {
    const graph = familyGraph(family, { ...spec, layers: 2 });
    const root = outlineOf(graph, POSITIONS, family);
    const counts = new Map<string, number>();
    const visit = (node: OutlineNode) => {
      if (!node.leaf) return node.children().forEach(visit);
      const { rows, columns } = tableSize(node.leaf);
      const name = node.leaf.tensor.name;
      counts.set(name, (counts.get(name) ?? 0) + rows * columns);
      const last = tableCell(node.leaf, rows - 1, columns - 1);
      expect(pathTo(root, last).some(({ id }) => id === node.id)).toBe(true);
      expect(last.index.every((at, axis) => at < node.leaf!.shape[axis]!)).toBe(true);
    };
    visit(root);
    expect([...counts.keys()].sort()).toEqual(graph.tensors.map(({ name }) => name).sort());
    for (const [name, count] of counts)
      expect(count).toBe(cellCount(shapeAt(getTensor(graph, name), POSITIONS)));
  },
);

it("no level is longer than a screen reader's user can bear, whatever the vocabulary", () => {
  const root = outlineOf(decoderGraph(SPECS.small!), POSITIONS, "small");
  const path = pathTo(root, { tensor: "W_E", index: [50_000, 3] });
  expect(path.map(({ name }) => name).join(" › ")).toBe(
    "small › Embedding › W_E › 49152 to 50256 › 49984 to 50047 › 50000",
  );
  for (const node of path.slice(2)) expect(node.children().length).toBeLessThanOrEqual(64);
});

it("what stands open is listed from top to bottom, with level and place", () => {
  const root = outlineOf(sort, POSITIONS, "sort");
  const seen = visibleNodes(root, new Set(["model", "blocks.1"]));
  const blocks = seen.filter(({ level }) => level === 2);
  expect(blocks.map(({ node }) => node.name)).toEqual([
    "Embedding",
    "Block 0",
    "Block 1",
    "Block 2",
    "Output",
  ]);
  expect(blocks.map(({ place, siblings }) => `${place}/${siblings}`)).toEqual([
    "1/5",
    "2/5",
    "3/5",
    "4/5",
    "5/5",
  ]);
  const inner = seen.filter(({ parent }) => parent?.id === "blocks.1");
  expect(inner.map(({ node }) => node.name)).toEqual([
    "resid_pre",
    "Norm ln1",
    "Attention",
    "attn_out",
    "resid_mid",
    "Norm ln2",
    "MLP",
    "mlp_out",
    "resid_post",
  ]);
});
