import { expect, test } from "vitest";
import { fittingTicks, heightOf, pointAt, rowOfPoint, shapeAround, type Trace } from "./figure-parts";

const HEAT: Trace = {
  type: "heatmap",
  z: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  meta: { scale: "summary", row: 0, stride: [3, 1] },
};
const LINES: readonly Trace[] = [
  { type: "scatter", mode: "lines+markers", x: [0, 1], y: [5, 6], meta: { row: 0, stride: [1] } },
  { type: "scatter", mode: "lines+markers", x: [0, 1], y: [7, 8], meta: { row: 2, stride: [1] } },
];

test("points and rows of the table are each other's", () => {
  for (let row = 0; row < 6; row++) {
    const point = pointAt([HEAT], row)!;
    expect(point.at).toEqual([Math.floor(row / 3), row % 3]);
    expect(rowOfPoint([HEAT], point.curve, point.at)).toBe(row);
  }
  expect(pointAt([HEAT], 6)).toBeUndefined();
  expect(pointAt(LINES, 3)).toEqual({ curve: 1, at: [1] });
  expect(rowOfPoint(LINES, 1, 1)).toBe(3);
  expect(rowOfPoint([{ type: "heatmap" }], 0, [0, 0])).toBeUndefined();
});

test("a small map is one row, a cell may be no row, and cells may share one", () => {
  const board: Trace = {
    type: "heatmap",
    z: Array.from({ length: 6 }, () => [0, 0, 0, 0]),
    meta: { row: 0, stride: [2, 1], block: [3, 2] },
  };
  expect(rowOfPoint([board], 0, [1, 1])).toBe(3);
  expect(pointAt([board], 3)).toEqual({ curve: 0, at: [1, 1] });
  expect(pointAt([board], 4)).toBeUndefined();
  const shared: Trace = { ...HEAT, meta: { row: 0, stride: [0, 1] } };
  expect(rowOfPoint([shared], 0, [1, 2])).toBe(2);
  expect(pointAt([shared], 2)).toEqual({ curve: 0, at: [0, 2] });
  const which = [
    [3, null],
    [0, 1],
  ];
  const other: Trace = { ...HEAT, meta: { which } };
  expect(rowOfPoint([other], 0, [0, 1])).toBeUndefined();
  expect(rowOfPoint([other], 0, [1, 0])).toBe(0);
  expect(pointAt([other], 1)).toEqual({ curve: 0, at: [1, 1] });
  expect(pointAt([other], 2)).toBeUndefined();
});

test("a frame stands around its point", () => {
  expect(shapeAround(LINES, { curve: 1, at: [0] }, "#000")).toMatchObject({ xanchor: 0, yanchor: 7 });
});

test("bars take a line each", () => {
  const names = Array.from({ length: 20 }, (_, at) => `${at}`);
  const bars: Trace = { type: "bar", orientation: "h", meta: { names } };
  expect(heightOf([bars], 400)).toBe(400);
});

test("names along an axis are as many as fit, cut where they are long, an entity counted as one character", () => {
  const names = Array.from({ length: 40 }, () => "&lt;|endoftext|&gt;too long");
  const upright = fittingTicks([{ type: "bar", orientation: "v", meta: { names } }], 320) as {
    xaxis: { tickvals: number[]; ticktext: string[] };
  };
  expect(upright.xaxis.tickvals).toEqual([
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38,
  ]);
  expect(upright.xaxis.ticktext[0]).toBe("&lt;|endoftext|&gt;t…");
  expect(fittingTicks([{ type: "scatter" }], 320)).toEqual({});
});
