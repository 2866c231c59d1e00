import { describe, expect, it } from "vitest";
import { boxSize, type CellBox, cellsRead, type Reading } from "./cells";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "./fixtures";
import { type Moment, markOf, momentOf, type Part, passOf, type Step } from "./pass";
import { cellCount } from "./shape";
import type { Graph } from "./types";

const cases = [
  ...Object.entries(SPECS).map(([name, { capacity, ...spec }]) => ({ name, graph: decoderGraph(spec) })),
  ...FAMILIES.map(({ name, family, spec }) => ({ name, graph: familyGraph(family, spec) })),
];
const positions = { target: 5, source: 4 };
const reading: Reading = { positions, lookup: (_, [at]) => ((at ?? 0) * 7) % 3 };

/** Every moment of a step: at the beginning, part by part, and at the end. */
function momentsOf(graph: Graph, step: Step): readonly Moment[] {
  const parts: readonly Part[] = ["none", ...Array.from({ length: step.parts }, (_, part) => part), "all"];
  return parts.map((part) => momentOf(graph, step, part, reading)!);
}

const size = (boxes: readonly CellBox[]): number => boxes.reduce((sum, box) => sum + boxSize(box), 0);
const inside = (small: CellBox, large: CellBox): boolean =>
  small.tensor === large.tensor &&
  small.start.every((at, axis) => at >= large.start[axis]! && small.stop[axis]! <= large.stop[axis]!);

describe.each(cases)("the pass of $name", ({ graph }) => {
  const pass = passOf(graph, positions);
  const { steps } = pass;

  it("has every operation once, in order, but for what is only computed when asked for", () => {
    const computed = graph.ops.filter(({ output }) => !output.endsWith("hook_result"));
    expect(steps.map(({ op }) => op)).toEqual(computed);
    expect(steps.map(({ number }) => number)).toEqual(steps.map((_, i) => i));
    expect(steps.map(({ opNumber }) => graph.ops[opNumber])).toEqual(computed);
    expect(["probabilities", "logits"]).toContain(steps.at(-1)!.output.name);
  });

  it("marks where blocks begin", () => {
    expect(pass.marks[0]!.step).toBe(0);
    for (const { op, number } of steps) {
      const { name } = markOf(pass, number)!;
      if (op.layer !== null) expect(name.toLowerCase()).toContain(`block ${op.layer}`);
      else expect(name.toLowerCase()).toMatch(/embedding$|output$/);
    }
    expect(new Set(pass.marks.map(({ name }) => name)).size).toBe(pass.marks.length);
  });

  it("makes every cell of an output once, and nothing is left", () => {
    const some = steps.filter(({ op }) => (op.layer ?? 0) < 1);
    for (const step of some) {
      const [first, ...rest] = momentsOf(graph, step);
      const last = rest.pop()!;
      const whole = cellCount(step.shape);
      expect(first!.makes).toEqual([]);
      expect(size(first!.unmade)).toBe(whole);
      let made = 0;
      for (const moment of rest) {
        made += size(moment.makes);
        expect(made + size(moment.unmade)).toBe(whole);
      }
      expect(made).toBe(whole);
      expect(rest).toHaveLength(step.parts);
      expect(size(last.makes)).toBe(whole);
      expect(last.unmade).toEqual([]);
    }
  });

  it("lights, for each part, all that its cells read", () => {
    for (const step of steps.filter(({ op }) => (op.layer ?? 0) < 1))
      for (const moment of momentsOf(graph, step).slice(1, -1)) {
        const [made] = moment.makes;
        for (const cell of [made!.start, made!.stop.map((stop) => stop - 1)])
          for (const read of cellsRead(graph, step.op.output, cell, reading))
            expect(moment.reads.some((lit) => inside(read, lit))).toBe(true);
      }
  });
});

it("lights, for a part, nothing that its cells do not read", () => {
  const { capacity, ...spec } = SPECS.odd!;
  const graph = decoderGraph(spec);
  const pass = passOf(graph, { target: 3, source: 0 });
  const three: Reading = { positions: { target: 3, source: 0 }, lookup: (_, [at]) => at };
  const named = (boxes: readonly CellBox[]): ReadonlySet<string> => new Set(boxes.flatMap(cellsOf));
  for (const name of [
    "hook_embed",
    "attn.hook_q",
    "hook_attn_scores",
    "hook_pattern",
    "hook_z",
    "hook_resid_mid",
  ]) {
    const step = pass.steps.find(({ output }) => output.name.endsWith(name))!;
    const moment = momentOf(graph, step, step.parts >> 1, three)!;
    expect(moment.whole).toBe(false);
    const cells = moment.makes.flatMap(indicesOf);
    const read = cells.flatMap((cell) => cellsRead(graph, step.op.output, cell, three));
    expect(named(moment.reads)).toEqual(named(read));
  }
});

it("has nothing to show before anything is read", () => {
  const { capacity, ...spec } = SPECS.sort!;
  const graph = decoderGraph(spec);
  const none = { target: 0, source: 0 };
  const pass = passOf(graph, none);
  expect(momentOf(graph, pass.steps[3]!, "all", { positions: none, lookup: () => undefined })).toBeNull();
});

function indicesOf({ start, stop }: CellBox): readonly (readonly number[])[] {
  return start.reduce<readonly (readonly number[])[]>(
    (found, from, axis) =>
      found.flatMap((index) => Array.from({ length: stop[axis]! - from }, (_, i) => [...index, from + i])),
    [[]],
  );
}

const cellsOf = (box: CellBox): readonly string[] => indicesOf(box).map((index) => `${box.tensor}[${index}]`);
