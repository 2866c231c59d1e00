import { expect, test } from "vitest";
import type { Graph, TensorInfo } from "../../graph/types";
import type { Layout, Plate } from "../../layout/types";
import { pickPlate } from "../plates/picking";
import { cellIndex, patternOnPlate } from "../plates/sheets";
import { decodeHalf, encodeHalf } from "./half";
import { Values } from "./values";

const info = (name: string, role: TensorInfo["role"], axes: string[], shape: number[]): TensorInfo => ({
  name,
  role,
  axes,
  shape,
  kind: name,
  layer: null,
  same_as: null,
  transposed: false,
  derived: false,
  stack: null,
  source_axes: [],
  learned: true,
});

const graph: Graph = {
  tensors: [
    info("W_E", "weight", ["d_vocab", "d_model"], [600, 8]),
    { ...info("W_U", "weight", ["d_model", "d_vocab"], [8, 600]), same_as: "W_E", transposed: true },
    info("q", "activation", ["pos", "head", "d_head"], [300, 2, 4]),
    info("scores", "activation", ["head", "query_pos", "key_pos"], [2, 300, 300]),
  ],
  ops: [],
  sizes: {},
};

let plates = 0;
const plate = (
  tensor: string,
  source: string,
  origin: number[],
  rowAxis: number,
  columnAxis: number,
  rows: number,
  columns: number,
): Plate => ({
  id: plates++,
  tensor,
  source,
  role: "weight",
  kind: tensor,
  layer: null,
  rowAxis,
  columnAxis,
  origin,
  rows,
  columns,
  x: plates * 1000,
  y: 0,
  z: 0,
  label: "",
  importance: 0,
});

function layoutOf(capacity: number): Layout {
  return {
    plates: [
      plate("W_E", "W_E", [0, 0], 1, 0, 8, 400),
      plate("W_U", "W_E", [400, 0], 1, 0, 8, 200),
      plate("q", "q", [0, 1, 0], 2, 0, 4, capacity),
      plate("scores", "scores", [1, 0, 0], 1, 2, capacity, capacity),
    ],
    ribbons: [],
    regions: [],
    bounds: { min: [0, 0, 0], max: [1, 1, 1] },
    capacity: { target: capacity, source: capacity },
  };
}

const halves = (count: number): Uint16Array =>
  Uint16Array.from({ length: count }, (_, i) => encodeHalf(i % 1000));

function filled(): Values {
  const values = new Values(8e6);
  values.setLayout(layoutOf(10), graph);
  values.applyTile(
    { name: "W_E", index: [], level: 0, row: 1, col: 0, shape: [256, 8], full_shape: [600, 8], scale: 1 },
    halves(2048),
  );
  values.applyRows({ name: "q", offset: 2, shape: [3, 2, 4], full_shape: [5, 2, 4], scale: 1 }, halves(24));
  values.applyRows(
    { name: "scores", offset: 0, shape: [2, 3, 3], full_shape: [2, 3, 3], scale: 1 },
    halves(18),
  );
  return values;
}

test("a tile lands where its tensor has it, also as seen through a tied tensor", () => {
  const values = filled();
  expect(values.valueAt("W_E", [256, 0])).toBe(0);
  expect(values.valueAt("W_E", [300, 5])).toBe((44 * 8 + 5) % 1000);
  expect(values.valueAt("W_U", [5, 300])).toBe((44 * 8 + 5) % 1000);
  expect(values.valueAt("W_E", [0, 0])).toBeUndefined();
});

test("rows land at their offset in the plate of their head", () => {
  const values = filled();
  expect(values.valueAt("q", [2, 1, 0])).toBe(4);
  expect(values.valueAt("q", [4, 1, 3])).toBe(2 * 8 + 4 + 3);
  expect(values.valueAt("q", [5, 1, 0])).toBeUndefined();
  expect(values.valueAt("scores", [1, 2, 1])).toBe(9 + 2 * 3 + 1);
});

test("a new run forgets activations and keeps weights; keys beyond a row's end are not there", () => {
  const values = filled();
  values.applyRows(
    { name: "scores", offset: 3, shape: [2, 1, 4], full_shape: [2, 4, 4], scale: 1 },
    halves(8),
  );
  expect(values.valueAt("scores", [1, 3, 3])).toBe(7);
  expect(values.valueAt("scores", [1, 2, 3])).toBeUndefined();
  values.clearActivations();
  expect(values.valueAt("q", [2, 1, 0])).toBeUndefined();
  expect(values.valueAt("W_E", [256, 1])).toBe(1);
});

test("more room for the same graph keeps the weights; another graph keeps nothing", () => {
  const values = filled();
  values.setLayout(layoutOf(20), graph);
  expect(values.valueAt("W_E", [256, 1])).toBe(1);
  expect(values.valueAt("q", [2, 1, 0])).toBeUndefined();
  values.setLayout(layoutOf(20), { ...graph });
  expect(values.valueAt("W_E", [256, 1])).toBeUndefined();
  expect(values.tilesHeld).toBe(0);
  expect(values.pool.layersUsed).toBe(1); // the one that holds what is drawn where there is nothing
});

test("wanted tiles are those not here, the worthiest first, within the pool's room", () => {
  const values = filled();
  const [sheet] = values.sheets.sheets;
  if (!sheet) throw new Error("no sheet");
  const ranks = [0, 1, 2].map((row) => ({ sheet, level: 0, row, column: 0, worth: row }));
  expect(values.wanted(ranks).map(({ row }) => row)).toEqual([2, 0]);
});

test("half floats scaled on the wire are scaled back", () => {
  const values = filled();
  values.applyRows({ name: "q", offset: 0, shape: [1, 2, 4], full_shape: [1, 2, 4], scale: 4 }, halves(8));
  expect(values.valueAt("q", [0, 1, 1])).toBe(20);
  expect(decodeHalf(encodeHalf(20))).toBe(20);
});

test("a plate's cell knows its index, and the index finds the cell", () => {
  const values = filled();
  for (const { plate: shown } of values.sheets.windows) {
    const index = cellIndex(values.sheets, shown, 2, 3);
    expect(patternOnPlate(values.sheets, shown, index)).toEqual([3, 2, 4, 3]);
  }
  const tied = values.sheets.windows[1]?.plate as Plate;
  expect(cellIndex(values.sheets, tied, 2, 3)).toEqual([2, 403]);
  expect(patternOnPlate(values.sheets, tied, [2, 3])).toBeNull();
});

test("the ray finds the nearest plate and the exact cell", () => {
  const [front] = layoutOf(10).plates as [Plate];
  const near = { ...front, id: 99, x: 0, y: 0, z: 10, rows: 5, columns: 5 };
  const far = { ...near, id: 98, z: 0, rows: 50, columns: 50 };
  const hit = pickPlate([far, near], [3.5, -1.5, 100], [0, 0, -1]);
  expect([hit?.plate.id, hit?.row, hit?.column, hit?.distance]).toEqual([99, 1, 3, 90]);
  expect(pickPlate([near], [3.5, 1.5, 100], [0, 0, -1])).toBeNull();
  const beside = pickPlate([far, near], [20.2, -30.9, 100], [0, 0, -1]);
  expect([beside?.plate.id, beside?.row, beside?.column]).toEqual([98, 30, 20]);
});

test("a tile of an activation is asked for again only when it lacked positions that have been read since", () => {
  const values = new Values(8e6);
  const long = graph.tensors.map((one) => (one.name === "scores" ? { ...one, shape: [2, 2000, 2000] } : one));
  values.setLayout(layoutOf(2000), { ...graph, tensors: long });
  const sheet = values.sheets.bySource.get("scores")?.[0];
  if (!sheet) throw new Error("no sheet of scores");
  const extent = (positions: number) => values.setExtent({ target: positions, source: positions });
  const wanted = () =>
    values.wanted(
      [0, 1].flatMap((row) => [0, 1].map((column) => ({ sheet, level: 0, row, column, worth: 1 }))),
    );
  extent(300);
  expect(sheet.streamed).toBe(false);
  expect(wanted()).toHaveLength(4);
  for (const [row, col] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const) {
    const shape = [row ? 44 : 256, col ? 44 : 256];
    const header = {
      name: "scores",
      index: [1],
      level: 0,
      row,
      col,
      shape,
      full_shape: [2, 300, 300],
      scale: 1,
    };
    values.applyTile(header, halves(256 * 256));
  }
  expect(wanted()).toEqual([]);
  values.markStale();
  expect(wanted()).toEqual([]);
  extent(301);
  values.markStale();
  expect(wanted().map(({ row, col }) => [row, col])).toEqual([
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
});

test("a zero is hidden by the mask of its score alone; zeros of the network's own have no sign", () => {
  const at = (axis: string) => ({ axis, divide: 1 });
  const square = [at("head"), at("query_pos"), at("key_pos")];
  const read = (tensor: string, where: string | null) => [{ tensor, index: square, part: "input", where }];
  const op = { title: "", equation: "", layer: 0, constants: {}, stack: null };
  const masked: Graph = {
    ...graph,
    tensors: [
      ...graph.tensors,
      info("pattern", "probability", ["head", "query_pos", "key_pos"], [2, 300, 300]),
    ],
    ops: [
      { ...op, kind: "mask", output: "scores", reads: read("raw", "key_pos <= query_pos") },
      { ...op, kind: "softmax", output: "pattern", reads: read("scores", null) },
    ],
  };
  const values = new Values(10e6);
  const layout = layoutOf(8);
  values.setLayout(
    { ...layout, plates: [...layout.plates, plate("pattern", "pattern", [1, 0, 0], 1, 2, 8, 8)] },
    masked,
  );
  const shares = new Uint16Array(2 * 3 * 3).fill(encodeHalf(0.5));
  shares.set([encodeHalf(1), 0, 0, 0x8000, encodeHalf(1), 0], 9);
  const header = { offset: 0, shape: [2, 3, 3], full_shape: [2, 3, 3], scale: 1 };
  values.applyRows({ ...header, name: "pattern" }, shares);
  values.applyRows({ ...header, name: "scores" }, shares);
  const half = (name: string, row: number, column: number): number =>
    values.halfAt(values.sheets.bySource.get(name)![0]!, row, column);
  expect(half("pattern", 0, 1)).toBe(0x8000);
  expect(half("pattern", 1, 2)).toBe(0x8000);
  expect(half("pattern", 1, 0)).toBe(0);
  expect(half("scores", 0, 1)).toBe(0);
  expect(Object.is(values.valueAt("pattern", [1, 0, 1]), 0)).toBe(true);
});
