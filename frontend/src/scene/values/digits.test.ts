import { expect, test } from "vitest";
import { decoderGraph, SPECS } from "../../graph/fixtures";
import { layout } from "../../layout/layout";
import { basisOf, dot, eyeOf, FIELD_OF_VIEW } from "../camera/camera";
import { makeSheets } from "../plates/sheets";
import { findVisible, Viewer } from "../plates/visibility";
import { GLYPHS, packText } from "../text/glyphs";
import type { CameraState } from "../types";
import { cellsInReach, DIGITS_FADE, DIGITS_FROM } from "./digits-reach";
import { BLOCK, ExactCells, squaresOf } from "./exact-cells";

const graph = decoderGraph(SPECS.sort!);
const capacity = { target: 11, source: 0 };
const { plates } = layout(graph, { capacity, aspect: 1.6, heads: "fan" });
const sheets = makeSheets(plates, graph, capacity);
const [width, height] = [1280, 800];
const aspect = width / height;

function reached(state: CameraState) {
  const { order } = findVisible(sheets.windows, new Viewer(state, aspect, height));
  return cellsInReach(sheets.windows, order, state, aspect, height);
}

test("every cell in the window that is large enough is in reach, and none that is small or elsewhere", () => {
  const focal = height / 2 / Math.tan(FIELD_OF_VIEW / 2);
  for (let i = 0; i < 40; i++) {
    const { x, y, z, columns, rows } = sheets.windows[(i * 37) % sheets.windows.length]!.plate;
    const state: CameraState = {
      target: [x + (columns * (i % 5)) / 5, y + (rows * (i % 7)) / 7, z],
      distance: 8 + (i % 6) * 6,
      azimuth: -60 + (i % 9) * 15,
      elevation: -30 + (i % 4) * 25,
    };
    const { right, up, back } = basisOf(state.azimuth, state.elevation);
    const eye = eyeOf(state);
    const narrow = Math.min(Math.hypot(right[0], up[0]), Math.hypot(right[1], up[1]));
    const reaches = new Map(reached(state).map((reach) => [reach.number, reach]));
    for (const [number, { plate }] of sheets.windows.entries()) {
      if (eye[2] <= plate.z) continue;
      const reach = reaches.get(number);
      let near = 0;
      for (let row = 0; row < plate.rows; row++)
        for (let column = 0; column < plate.columns; column++) {
          const way = [
            plate.x + column + 0.5 - eye[0],
            -plate.y - row - 0.5 - eye[1],
            plate.z - eye[2],
          ] as const;
          const ahead = -dot(way, back);
          if (ahead <= 0.02) continue;
          const across = (focal * dot(way, right)) / ahead;
          const upward = (focal * dot(way, up)) / ahead;
          const pixels = (focal * narrow) / ahead;
          if (Math.abs(across) > width / 2 || Math.abs(upward) > height / 2 || pixels < DIGITS_FROM) continue;
          near++;
          const inside =
            reach && row >= reach.top && row < reach.bottom && column >= reach.left && column < reach.right;
          expect(inside, `${plate.tensor} ${row} ${column} at view ${i}`).toBe(true);
        }
      // A rectangle around a slanting part has some more, but never a plate of which nothing is near.
      if (reach) expect(near + plate.rows + plate.columns).toBeGreaterThan(2);
    }
  }
});

test("from afar nothing is in reach, and more digits fit the nearer one is", () => {
  const plate = sheets.byTensor.get("blocks.0.attn.W_Q")![0]!.plate;
  const at = (distance: number): CameraState => ({
    target: [plate.x + 3, plate.y + 3, plate.z],
    distance,
    azimuth: 0,
    elevation: 0,
  });
  expect(reached(at(height / 2 / Math.tan(FIELD_OF_VIEW / 2) / (DIGITS_FROM - 1)))).toEqual([]);
  expect(DIGITS_FROM + DIGITS_FADE).toBeLessThan(42);
  const rooms = [36, 20, 12, 6].map((distance) => reached(at(distance))[0]?.digits);
  expect(rooms).toEqual([4, 5, 7, 9]);
});

test("squares of cells cover what is in reach once, by the server's own plates", () => {
  for (const name of ["blocks.0.attn.W_Q", "blocks.0.attn.hook_max", "W_E", "blocks.1.ln1.b", "hook_embed"]) {
    const info = sheets.tensor(name);
    for (const { sheet } of sheets.byTensor.get(name)!) {
      const seen = new Map<string, number>();
      const area = { top: 0, left: Math.min(3, sheet.columns - 1), bottom: sheet.rows, right: sheet.columns };
      for (const { address, ...part } of squaresOf(sheet, info, area)) {
        expect(address.rows).toBeLessThanOrEqual(BLOCK);
        for (let row = part.top; row < part.bottom; row++)
          for (let column = part.left; column < part.right; column++) {
            const key = `${row} ${column}`;
            seen.set(key, (seen.get(key) ?? 0) + 1);
          }
        // The server has a plate for each head, and rows and columns for the rest.
        const heads = info!.axes.filter((axis) => axis === "head").length;
        expect(address.index.length).toBe(heads);
      }
      expect(seen.size).toBe((area.bottom - area.top) * (area.right - area.left));
      expect([...seen.values()].every((times) => times === 1)).toBe(true);
    }
  }
});

test("numbers of an old run are forgotten, those of weights and of the last squares are not", () => {
  const cells = new ExactCells();
  const header = { name: "W_E", index: [], row: 0, col: 0, shape: [1, 2] };
  cells.apply({ ...header, run: null }, new Float32Array([1, 2]));
  cells.apply({ ...header, name: "hook_embed", run: "r" }, new Float32Array([3, 4]));
  expect(cells.get({ ...header, name: "hook_embed" })?.values[1]).toBe(4);
  cells.clearActivations();
  expect(cells.get({ ...header, name: "hook_embed" })).toBeUndefined();
  expect(cells.get(header)?.columns).toBe(2);
  for (let row = 1; row < 4000; row++)
    cells.apply({ ...header, run: null, row }, new Float32Array([row, row]));
  expect(cells.get(header)).toBeUndefined();
  expect(cells.get({ ...header, row: 3999 })?.values[0]).toBe(3999);
});

test("a number is packed by its characters, and what no number has is refused", () => {
  const [first, second] = packText("−1.2345e−38");
  const read = [...Array(11).keys()].map((i) => GLYPHS[((i < 8 ? first : second) >>> (4 * (i & 7))) & 15]);
  expect(read.join("")).toBe("−1.2345e−38");
  expect(() => packText("x")).toThrow(RangeError);
});
