import { expect, test } from "vitest";
import { formatNumber } from "../../format";
import { perform } from "./flight";
import { rehearse } from "./rehearse";
import type { Script, Step, Sum } from "./script";

const slip = { corner: [100, 0, 5], cell: 4 } as const;
const where = (tensor: string, index: readonly number[]) =>
  tensor === "nowhere" ? null : ([tensor.length, index[0] ?? 0, 0] as const);
const cell = (tensor: string, at: number, value: number) => ({ tensor, index: [at], value });
const product: Sum = {
  merging: "Each pair is multiplied",
  sign: "×",
  steps: [],
  target: cell("out", 7, 11.5),
  combine: "sum",
  terms: [
    { operands: [cell("x", 0, 2), cell("W", 0, 3)], value: 6 },
    { operands: [cell("x", 1, 1), cell("W", 1, 4)], value: 4 },
  ],
  rest: { count: 3, sum: 1 },
  bias: 0.5,
  parts: new Map([["bias", cell("b", 7, 0.5)]]),
};
const values = (script: Script, time: number) => perform(script, time).map(({ value }) => value);

test("operands leave their plates, meet in pairs, and the products are there", () => {
  const script = rehearse(product, where, slip);
  const merge = script.phases.find(({ name }) => name === "merge")!;
  expect(perform(script, 0.03).every(({ position }) => position[0] < 90)).toBe(true);
  expect(values(script, merge.start)).toEqual(expect.arrayContaining([2, 3, 1, 4]));
  expect(values(script, merge.stop)).toEqual(expect.arrayContaining([6, 4, 1]));
});

test("the running total takes in every term, the rest and the bias, and lands in its cell", () => {
  const script = rehearse(product, where, slip);
  const bias = script.phases.find(({ name }) => name === "bias")!;
  expect(values(script, bias.start + 0.001)).toContain(11);
  const end = perform(script, 1);
  expect(end[0]).toMatchObject({ value: 11.5, position: [3, 7, 0], size: 1, scaleOf: "out" });
  // The sum may still be read: its terms, their products, the rest, the bias, and what it comes to.
  const onSlip = end.slice(1).map(({ value, strength }) => [value, strength >= 0.5]);
  for (const value of [2, 3, 6, 1, 4, 0.5, 11.5]) expect(onSlip).toContainEqual([value, true]);
  expect(onSlip).toHaveLength(9);
});

test("any time can be asked for in any order, and gives the same", () => {
  const script = rehearse(product, where, slip);
  const times = [0.9, 0.1, 0.5, 0.1, 0.9];
  const seen = times.map((time) => JSON.stringify(perform(script, time)));
  expect([seen[0], seen[1]]).toEqual([seen[4], seen[3]]);
  expect(script.phases[0]!.start).toBe(0);
  expect(script.phases.at(-1)!.stop).toBeCloseTo(1, 12);
});

test.each(["merge", "leave", "add", "land"])("the words of %s can be read while it lasts", (name) => {
  const words = {
    ...product,
    merging: "Each number of the first is multiplied with the one beside it in the second",
  };
  const script = rehearse(words, where, slip);
  const phase = script.phases.find((one) => one.name === name)!;
  const seconds = (phase.stop - phase.start) * script.seconds;
  expect(seconds).toBeGreaterThanOrEqual(phase.words.length / 15 - 1e-9);
});

test("nothing jumps: a cell's way in a hundredth of the clock is short", () => {
  const script = rehearse(product, where, slip);
  const apart = ([a, b, c]: readonly number[], [x, y, z]: readonly number[]) =>
    Math.hypot(a! - x!, b! - y!, c! - z!);
  for (const { keys } of script.paths)
    for (const [i, key] of keys.entries()) {
      const next = keys[i + 1];
      if (!next) continue;
      expect(next.at).toBeGreaterThanOrEqual(key.at);
      if (next.at - key.at < 0.005 && key.strength > 0 && next.strength > 0)
        expect(apart(key.position, next.position)).toBeLessThan(1);
    }
});

test("what is made in steps goes through every number on the way", () => {
  const parts = new Map([["input", cell("x", 0, 5)]]);
  const base = { ...product, terms: [], rest: null, bias: null, parts, combine: null };
  const less: Step = { joins: cell("m", 0, 1), sign: "−", becomes: 4, words: "Less the mean" };
  const divided: Step = { joins: cell("s", 0, 2), sign: "÷", becomes: 2, words: "Divided by the spread" };
  const seen = (sum: Sum) => {
    const script = rehearse(sum, where, slip);
    return [...new Set(Array.from({ length: 101 }, (_, i) => values(script, i / 100)).flat())];
  };
  const norm = { ...base, steps: [less, divided], target: cell("n", 0, 2) };
  expect(seen(norm)).toEqual([5, 1, 4, 2]);
  expect(rehearse(norm, where, slip).phases.map(({ words }) => words)).toContain("Less the mean: 4.");
  const relu: Step = { joins: null, sign: "relu", becomes: 5, words: "relu of it" };
  expect(seen({ ...base, steps: [relu], target: cell("r", 0, 5) })).toEqual([5]);
});

test("what has no plate comes in from the slip's edge", () => {
  const script = rehearse({ ...product, target: cell("nowhere", 0, 11.5) }, where, slip);
  expect(perform(script, 1)[0]!.value).toBe(11.5);
});

/** What is written beside the cells on the slip, in its own cells: 21 pixels each, as the player makes them. */
function written(script: Script, time: number): readonly (readonly [number, number, number, number])[] {
  const { corner, cell } = script.slip;
  const pixels = 21;
  const letter = 7.3;
  return perform(script, time).flatMap(({ position, size, strength, settled, value, label }) => {
    if (strength * settled < 0.2 || size < cell) return [];
    const x = ((position[0] - corner[0]) / cell) * pixels;
    const y = ((position[1] - corner[1]) / cell) * pixels;
    const side = ((size / cell) * pixels) / 2;
    const number = formatNumber(value ?? 0, 3).length * letter;
    const sign = label.length * letter;
    const beside = label ? [[x - side - 5 - sign, y - 6, x - side - 5, y + 6] as const] : [];
    return [[x - side, y - 6, x + side + 5 + number, y + 6] as const, ...beside];
  });
}

const long = (at: number) => cell("x", at, -0.01234 * (at + 1));
const many: Sum = {
  ...product,
  terms: Array.from({ length: 20 }, (_, i) => ({
    operands: [long(i), cell("W", i, -0.0987)],
    value: -0.01043,
  })),
  rest: { count: 4000, sum: -0.01234 },
};
const three: Sum = {
  ...many,
  terms: many.terms.map((term) => ({ ...term, operands: [...term.operands, cell("g", 1, -1.234)] })),
};
const inSteps = (steps: readonly (readonly [sign: string, joins: boolean])[]): Sum => ({
  ...product,
  merging: null,
  combine: null,
  terms: [],
  rest: null,
  bias: null,
  steps: steps.map(([sign, joins], i) => ({
    joins: joins ? cell("other", i, -0.01234 * (i + 2)) : null,
    sign,
    becomes: i === steps.length - 1 ? product.target.value : -0.01234 * (i + 1),
    words: "",
  })),
  parts: new Map([["input", cell("input", 0, -0.01234)]]),
});
const plain = { merging: null, bias: null } as const;
const played: readonly (readonly [string, Sum])[] = [
  ["einsum", many],
  ["multiply", three],
  [
    "add",
    {
      ...many,
      merging: null,
      terms: many.terms.slice(0, 3).map(({ value }) => ({ operands: [long(1)], value })),
    },
  ],
  ["embed", { ...many, ...plain, rest: null, terms: [{ operands: [long(1)], value: -0.01234 }] }],
  ["deviation", { ...three, merging: "Each is squared", sign: "−", combine: "root", bias: null }],
  ["sum_exponentials", { ...many, sign: "−", bias: null }],
  ["rotate", { ...many, terms: many.terms.slice(0, 2), rest: null, bias: null }],
  [
    "normalize",
    inSteps([
      ["−", true],
      ["÷", true],
    ]),
  ],
  [
    "softmax",
    inSteps([
      ["−", true],
      ["exp", false],
      ["÷", true],
    ]),
  ],
  ["activation", inSteps([["gelu_new", false]])],
];

test.each(played)("no number of %s is written over another, nor beside the slip", (_, sum) => {
  const script = rehearse(sum, where, slip);
  const [width, height] = script.extent.map((length) => (length / slip.cell) * 21) as [number, number];
  const wrong: string[] = [];
  for (let i = 0; i <= 200; i++) {
    const boxes = written(script, i / 200);
    for (const [n, [left, top, right, bottom]] of boxes.entries()) {
      if (left < 0 || top < 0 || right > width || bottom > height) wrong.push(`beside at ${i}: ${boxes[n]}`);
      for (const other of boxes.slice(n + 1))
        if (left < other[2] && other[0] < right && top < other[3] && other[1] < bottom)
          wrong.push(`over another at ${i}: ${boxes[n]}, ${other}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("on its way through softmax a number has the score's colours, and only as a share those of shares", () => {
  const [, softmax] = played.find(([name]) => name === "softmax")!;
  const script = rehearse(softmax, where, slip);
  const seen = Array.from({ length: 101 }, (_, i) => perform(script, i / 100)).flat();
  const colours = seen.filter(({ scaleOf }) => scaleOf === "out").map(({ value }) => value);
  expect(new Set(colours)).toEqual(new Set([softmax.target.value]));
  expect(perform(script, 1)[0]!.scaleOf).toBe("out");
});
