import { expect, test } from "vitest";
import { arcsFrom, arcsOfColumn, arcsTo, type Block, headColour, isolated, toggled } from "./arcs";

// Two heads, queries 4 and 5, three keys.
const block: Block = {
  first: 4,
  shape: [2, 2, 3],
  values: Float32Array.from([0.5, 0.5, 0, 0.25, 0.5, 0.25, 1, 0, 0, 0, 0, 1]),
};
const both = new Set([0, 1]);
const short = (arcs: ReturnType<typeof arcsFrom>) =>
  arcs.map(({ head, query, key, weight }) => `${head}: ${query} to ${key} ${weight}`);

test("arcs leave a query, of the heads shown, above the least", () => {
  expect(short(arcsFrom([block], 5, both, 0.3))).toEqual(["0: 5 to 1 0.5", "1: 5 to 2 1"]);
  expect(short(arcsFrom([block], 5, new Set([1]), 0))).toEqual(["1: 5 to 2 1"]);
  expect(arcsFrom([block], 3, both, 0)).toEqual([]);
});

test("arcs reach a key", () => {
  expect(short(arcsTo([block], 2, both, 0))).toEqual(["0: 5 to 2 0.25", "1: 5 to 2 1"]);
  expect(arcsTo([block], 9, both, 0)).toEqual([]);
  const column = { shape: [2, 3, 1], values: Float32Array.from([0, 0.5, 1, 0, 0.25, 0]) };
  expect(short(arcsOfColumn(column, 7, both))).toEqual(["0: 1 to 7 0.5", "0: 2 to 7 1", "1: 1 to 7 0.25"]);
});

test("a click switches a head, a double click leaves it alone and brings all back", () => {
  const all = new Set([0, 1, 2]);
  expect(toggled(all, 1)).toEqual(new Set([0, 2]));
  expect(isolated(toggled(all, 1), 1, 3)).toEqual(new Set([1]));
  expect(isolated(toggled(new Set([1]), 1), 1, 3)).toEqual(all);
});

test.each([1, 3, 9, 12, 25, 60])("%d heads have a colour each", (heads) => {
  const colours = Array.from({ length: heads }, (_, head) => headColour(head, heads, "light"));
  expect(new Set(colours).size).toBe(heads);
});
