import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import { getTensor } from "../graph/shape";
import type { HeadArrangement } from "./head-arrangement";
import { layout } from "./layout";
import { outlines, overviewOf } from "./overview";
import { plateCell } from "./plate-cell";
import { regionsAround, regionsAt } from "./whereabouts";

const stories = decoderGraph(SPECS.stories!);

describe.each(["fan", "board"] satisfies HeadArrangement[])("with heads as a %s", (heads) => {
  const map = layout(stories, { capacity: 16, aspect: 1.3, heads });
  it.each([
    ["blocks.3.attn.hook_pattern", [5, 0, 0], "Model › Block 3 › Attention › Head 5"],
    ["blocks.3.attn.hook_q", [2, 4, 0], "Model › Block 3 › Attention › Head 4"],
    ["blocks.0.attn.b_O", [7], "Model › Block 0 › Attention"],
    ["blocks.0.ln1.hook_out", [0, 0], "Model › Block 0 › Attention"],
    ["blocks.5.mlp.W_out", [0, 0], "Model › Block 5 › MLP"],
    ["blocks.5.ln2.hook_out", [0, 0], "Model › Block 5 › MLP"],
    ["blocks.2.hook_resid_mid", [1, 1], "Model › Block 2"],
    ["W_E", [4000, 0], "Model › Embedding"],
    ["logits", [1, 4000], "Model › Output"],
  ])("%s%j is in %s", (name, index, path) => {
    const { plate } = plateCell(map, name, index)!;
    const names = regionsAround(map, getTensor(stories, name), plate).map((region) => region.name);
    expect(names.join(" › ")).toBe(path);
  });
});

it("every plate of every family is in the model, and those of a block in that block", () => {
  for (const { family, spec } of FAMILIES) {
    const graph = familyGraph(family, { ...spec, layers: 2 });
    const map = layout(graph, { capacity: 8, aspect: 1.3 });
    for (const plate of map.plates) {
      const tensor = getTensor(graph, plate.tensor);
      const [model, ...within] = regionsAround(map, tensor, plate);
      expect(model?.kind).toBe("model");
      if (plate.layer !== null)
        expect(within.some((region) => region.kind === "block" && region.layer === plate.layer)).toBe(true);
      for (const region of within) if (region.stack && tensor.stack) expect(region.stack).toBe(tensor.stack);
    }
  }
});

it("between plates a point is in the sections around it", () => {
  const map = layout(stories, { capacity: 16, aspect: 1.3 });
  const block = map.regions.find(({ id }) => id === "blocks.4")!;
  const middle = [0, 1].map((axis) => (block.bounds.min[axis]! + block.bounds.max[axis]!) / 2) as [
    number,
    number,
  ];
  expect(regionsAt(map, ...middle).map(({ id }) => id)).toContain("blocks.4");
  expect(regionsAt(map, 1e6, 1e6)).toEqual([]);
});

describe("the overview", () => {
  const map = layout(stories, { capacity: 16, aspect: 1.3 });
  const plan = overviewOf(map, 160, 120);

  it("fits, and fills one side", () => {
    expect(Math.max(plan.width / 160, plan.height / 120)).toBeCloseTo(1, 9);
    const points = outlines(map, plan).flatMap(({ corners }) => corners);
    expect(points.length).toBe(4 * map.plates.length);
    for (const [x, y] of points) {
      expect(x).toBeGreaterThan(-1e-6);
      expect(x).toBeLessThan(plan.width + 1e-6);
      expect(y).toBeGreaterThan(-1e-6);
      expect(y).toBeLessThan(plan.height + 1e-6);
    }
  });

  it("leads back from a point to the place at each depth", () => {
    for (const point of [
      [10, 20, 0],
      [-300, 900, -200],
    ] as const) {
      const back = plan.fromPlan(...plan.toPlan(point), point[2]);
      for (const axis of [0, 1, 2]) expect(back[axis]).toBeCloseTo(point[axis]!, 6);
    }
  });
});
