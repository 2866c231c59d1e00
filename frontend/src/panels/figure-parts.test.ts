import { expect, test } from "vitest";
import { fittingTexts, heightOf, pointAt, rowOfPoint, shapeAround, type Trace } from "./figure-parts";

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

test("a frame stands around its point", () => {
  expect(shapeAround([HEAT], { curve: 0, at: [1, 2] }, "#000")).toMatchObject({
    x0: 1.5,
    x1: 2.5,
    y0: 0.5,
    y1: 1.5,
  });
  expect(shapeAround(LINES, { curve: 1, at: [0] }, "#000")).toMatchObject({ xanchor: 0, yanchor: 7 });
});

test("bars take a line each", () => {
  const bars: Trace = { type: "bar", orientation: "h", y: Array.from({ length: 20 }, (_, at) => at) };
  expect(heightOf([bars], 400)).toBe(400);
});

test("texts in cells are cut to the cell, entities counted as one character, and whole when pointed at", () => {
  const trace: Trace = {
    type: "heatmap",
    text: [["&lt;|endoftext|&gt;", "␣a"]],
    texttemplate: "%{text}",
    hovertemplate: "%{text}: %{z}",
  };
  const fitted = fittingTexts(trace, 170 + 2 * 25);
  expect(fitted.text).toEqual([["&lt;|e…", "␣a"]]);
  expect(fitted).toMatchObject({ customdata: trace.text, hovertemplate: "%{customdata}: %{z}" });
  expect(fittingTexts(trace, 180).texttemplate).toBe("");
  expect(fittingTexts(HEAT, 400)).toEqual({});
});
