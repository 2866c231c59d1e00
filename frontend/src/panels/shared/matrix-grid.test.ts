import { expect, test } from "vitest";
import { between, readableOn, rgbOf } from "./colour-scale";
import type { Trace } from "./figure-parts";
import { boxOf, gridOf, matrixOf, namesOf, roomy, unitAt, unitsOf } from "./matrix-grid";
import { cellAfter } from "./matrix-moves";

const AXES = { xaxis: { title: { text: "after" } }, yaxis: { title: { text: "read at" } } };
const WRITTEN: Trace = {
  type: "heatmap",
  z: [
    [0.5, null, 1],
    [0, 0.25, 0.75],
  ],
  text: [
    ["a", "&lt;s&gt;", "b"],
    ["c", "d", "e"],
  ],
  texttemplate: "%{text}<br>%{z}",
  zmin: 0,
  zmax: 1,
  meta: { scale: "probability", square: false, rows: ["0 MLP", "1 MLP"], columns: ["x", "y &amp; z", "w"] },
};

test("a matrix has its figure's numbers, names and bounds", () => {
  const matrix = matrixOf(WRITTEN, AXES);
  expect([matrix.rows, matrix.columns, matrix.low, matrix.high]).toEqual([2, 3, 0, 1]);
  expect([matrix.down, matrix.across]).toEqual(["read at", "after"]);
  expect(matrix.texts?.[0]?.[1]).toBe("<s>");
  expect(namesOf(matrix, [1, 1])).toEqual(["1 MLP", "y & z"]);
  const { zmin: _, zmax: __, ...free } = WRITTEN;
  expect(matrixOf({ ...free, meta: { scale: "activation" }, z: [[-1, 3]] }, AXES)).toMatchObject({
    low: -3,
    high: 3,
  });
});

test("written cells stay readable and scroll, plain ones fit", () => {
  const narrow = gridOf(matrixOf(WRITTEN, AXES), 120, 1);
  expect(narrow.cellWidth).toBeGreaterThanOrEqual(56);
  expect(narrow.width).toBeGreaterThan(120);
  const { texttemplate: _, ...plain } = WRITTEN;
  expect(gridOf(matrixOf(plain, AXES), 120, 1).width).toBeLessThanOrEqual(120);
});

test("a point is in the cell that is drawn there", () => {
  const matrix = matrixOf(WRITTEN, AXES);
  const grid = gridOf(matrix, 400, 1);
  for (const unit of [
    [0, 0],
    [1, 2],
  ] as const) {
    const box = boxOf(matrix, grid, unit);
    expect(unitAt(matrix, grid, box.x + 1, box.y + 1)).toEqual(unit);
    expect(unitAt(matrix, grid, box.x + box.width - 1, box.y + box.height - 1)).toEqual(unit);
  }
  expect(unitAt(matrix, grid, grid.left - 1, grid.top + 1)).toBeNull();
});

test("small maps are one unit each, for the pointer and the keys", () => {
  const board: Trace = {
    type: "heatmap",
    z: Array.from({ length: 8 }, () => [0, 0, 0, 0, 0, 0]),
    meta: { scale: "probability", block: [4, 3], rows: null, columns: null },
  };
  const axis = { tickvals: [1, 4], ticktext: ["0", "1"] };
  const matrix = matrixOf(board, { xaxis: axis, yaxis: axis });
  expect(unitsOf(matrix)).toEqual([2, 2]);
  const grid = gridOf(matrix, 300, 1);
  expect(unitAt(matrix, grid, grid.left + 4 * grid.cellWidth, grid.top + 5 * grid.cellHeight)).toEqual([
    1, 1,
  ]);
  expect(cellAfter("ArrowRight", [0, 1], unitsOf(matrix))).toEqual([0, 1]);
  expect(cellAfter("ArrowDown", [0, 1], unitsOf(matrix))).toEqual([1, 1]);
  expect(cellAfter("x", [0, 1], unitsOf(matrix))).toBeNull();
});

test("labels that would touch are thinned", () => {
  const labels = Array.from({ length: 10 }, (_, at) => ({ at, text: `${at}` }));
  expect(roomy(labels, 20)).toHaveLength(10);
  expect(roomy(labels, 4).map(({ at }) => at)).toEqual([0, 3, 6, 9]);
});

test("colours run evenly between their stops, and ink stands out from them", () => {
  const stops = [rgbOf("#000000"), rgbOf("#ffffff"), rgbOf("#ff0000")];
  expect(between(stops, 0.25)).toEqual([128, 128, 128]);
  expect(between(stops, 2)).toEqual([255, 0, 0]);
  expect(readableOn(rgbOf("#5b2bbf"), ["#1f2328", "#faf8f4"])).toBe("#faf8f4");
  expect(readableOn(rgbOf("#faf8f4"), ["#1f2328", "#faf8f4"])).toBe("#1f2328");
});
