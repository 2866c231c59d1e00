import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import { attentionAround, bringToFront, headOf } from "./front";
import { layout } from "./layout";
import { platesOf } from "./plate-cell";

const cases = [
  ...Object.entries(SPECS)
    .filter(([, { layers }]) => layers < 7)
    .map(([name, { capacity: _, ...spec }]) => ({ name, graph: decoderGraph(spec) })),
  ...FAMILIES.map(({ name, family, spec }) => ({ name, graph: familyGraph(family, spec) })),
];

describe.each(cases)("one head of $name in front", ({ graph }) => {
  const attentions = graph.tensors
    .filter(({ name }) => name.endsWith(".hook_pattern"))
    .map(({ name }) => name.slice(0, -".hook_pattern".length))
    .slice(0, 3);

  it("stands where the first stood, nearer than any other, as one piece", () => {
    for (const heads of ["fan", "stack"] as const) {
      const map = layout(graph, { capacity: 12, aspect: 1.4, heads });
      for (const attention of attentions)
        for (let head = 0; head < (graph.sizes.head ?? 1); head += 3) {
          const { moved, others } = bringToFront(graph, map, { attention, head });
          const patterns = platesOf(map, `${attention}.hook_pattern`);
          const [first, own] = [patterns[0]!, patterns[head]!];
          if (patterns.length < 2) continue;
          const by = moved.get(own.id)!.by;
          expect([own.x + by[0], own.y + by[1]]).toEqual([first.x, first.y]);
          for (const plate of map.plates) {
            if (!others.has(plate.id)) continue;
            expect(moved.has(plate.id)).toBe(false);
            expect(plate.z).toBeLessThan(own.z + by[2]);
          }
          const z = platesOf(map, `${attention}.hook_z`)[head]!;
          expect(moved.get(z.id)!.by).toEqual(by);
          expect(moved.get(z.id)!.label).toBe(platesOf(map, `${attention}.hook_z`)[0]!.label);
          expect(
            [...moved.keys()].some((id) => map.plates.find((one) => one.id === id)?.kind === "W_O"),
          ).toBe(false);
        }
    }
  });

  it("stays where it is side by side", () => {
    const map = layout(graph, { capacity: 12, aspect: 1.4, heads: "board" });
    for (const attention of attentions) {
      const { moved, others } = bringToFront(graph, map, { attention, head: 0 });
      expect(moved.size).toBe(0);
      expect(others.size > 0).toBe((graph.sizes.head ?? 1) > 1);
    }
  });

  it("is found from a cell, also of keys that several share", () => {
    const [attention] = attentions as [string];
    const group = (graph.sizes.head ?? 1) / (graph.sizes.kv_head ?? graph.sizes.head ?? 1);
    expect(headOf(graph, `${attention}.hook_pattern`, [1, 0, 0])).toEqual({ attention, head: 1 });
    expect(headOf(graph, `${attention}.hook_k`, [0, 1, 0])).toEqual({ attention, head: group });
    expect(attentionAround(graph, `${attention}.W_O`)).toBeNull();
    expect(attentionAround(graph, "W_E")).toBeNull();
  });
});
