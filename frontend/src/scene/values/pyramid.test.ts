import { expect, test } from "vitest";
import type { Graph } from "../../graph/types";
import type { Plate } from "../../layout/types";
import { makeSheets, type Window } from "../plates/sheets";
import { Viewer } from "../plates/visibility";
import { ABSENT_SHARES, MASKED_SHARES, NOT_A_NUMBER_SHARES, sharesOf } from "./encode";
import { ABSENT, encodeHalf, MINUS_INFINITY, NOT_A_NUMBER } from "./half";
import { type Part, walk } from "./pyramid";

/** A weight of 3,000 x 700 numbers in a pool too small for it, drawn transposed from its 100th row on. */
function large(): Window {
  const graph = {
    tensors: [
      {
        name: "W",
        role: "weight",
        axes: ["d_mlp", "d_model"],
        shape: [3000, 700],
        kind: "W",
        layer: null,
        same_as: null,
        transposed: false,
        derived: false,
        stack: null,
        source_axes: [],
        learned: true,
      },
    ],
    ops: [],
    sizes: {},
  } as unknown as Graph;
  const plate = {
    id: 1,
    tensor: "W",
    source: "W",
    role: "weight",
    kind: "W",
    rowAxis: 1,
    columnAxis: 0,
    origin: [100, 0],
    rows: 700,
    columns: 2900,
    x: 0,
    y: 0,
    z: 0,
  } as unknown as Plate;
  const { windows } = makeSheets([plate], graph, { target: 0, source: 0 }, 10);
  return windows[0] as Window;
}

const from = (distance: number, x = 1450) =>
  new Viewer({ target: [x, 350, 0], distance, azimuth: 0, elevation: 0 }, 1.6, 800);

test("levels go on until the sheet is a thumbnail", () => {
  const { levels } = large().sheet;
  expect(levels.map(({ rows, columns }) => [rows, columns]).at(-1)).toEqual([24, 6]);
  expect(levels[0]).toMatchObject({ tilesDown: 12, tilesAcross: 3 });
});

test.each([3000, 9000, 40_000])("seen whole from %i cells away, its parts cover it once", (distance) => {
  const parts: Part[] = [];
  walk(large(), from(distance), (_level, _row, _column, part) => parts.push({ ...part }));
  expect(parts.reduce((area, { width, height }) => area + width * height, 0)).toBe(2900 * 700);
  for (const a of parts)
    for (const b of parts)
      if (a !== b)
        expect(
          a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
        ).toBe(false);
});

test("a nearer eye asks for finer tiles, and only for those in view", () => {
  const levels = (viewer: Viewer): number[] => {
    const found: number[] = [];
    walk(large(), viewer, (level) => found.push(level));
    return found;
  };
  expect(Math.min(...levels(from(60_000)))).toBeGreaterThan(2);
  const near = levels(from(60, 100));
  expect(Math.min(...near)).toBe(0);
  expect(near.length).toBeLessThan(12);
});

test("a number becomes its share of full colour; what is no number has bytes of its own", () => {
  expect(sharesOf(encodeHalf(0.5), 1)).toBe(128);
  expect(sharesOf(encodeHalf(-0.5), 1)).toBe(128 << 8);
  expect(sharesOf(encodeHalf(-30), 0.1)).toBe(0xff00);
  expect(sharesOf(encodeHalf(0), 1)).toBe(0);
  expect(sharesOf(ABSENT, 1)).toBe(ABSENT_SHARES);
  expect(sharesOf(MINUS_INFINITY, 1)).toBe(MASKED_SHARES);
  expect(sharesOf(NOT_A_NUMBER, 1) >>> 0).toBe(NOT_A_NUMBER_SHARES >>> 0);
});
