import { expect, test } from "vitest";
import type { Plate } from "../../layout/types";
import { anchorOf, wayOf } from "./anchor";
import type { Stage } from "./plate-state";

const stageOf = (...plates: Partial<Plate>[]) =>
  ({ layout: { plates: plates.map((plate) => ({ columns: 10, rows: 10, ...plate })) } }) as unknown as Stage;

test("a head that is laid out elsewhere takes the eye along, whichever it is", () => {
  const fan = stageOf(
    { tensor: "scores", origin: [0, 0, 0], x: 0, y: 0, z: 0 },
    { tensor: "scores", origin: [1, 0, 0], x: 0, y: 0, z: -20 },
  );
  const board = stageOf(
    { tensor: "scores", origin: [0, 0, 0], x: 0, y: 0, z: 0 },
    { tensor: "scores", origin: [1, 0, 0], x: 30, y: 5, z: 0 },
  );
  expect(wayOf(board, anchorOf(fan, [4, 4, -19])!)).toEqual([30, 5, 20]);
  expect(wayOf(board, anchorOf(fan, [4, 4, -1])!)).toEqual([0, 0, 0]);
});

test("what is not laid out any more moves nothing", () => {
  const anchor = anchorOf(stageOf({ tensor: "q", origin: [0, 0], x: 0, y: 0, z: 0 }), [0, 0, 0])!;
  expect(wayOf(stageOf({ tensor: "k", origin: [0, 0], x: 9, y: 0, z: 0 }), anchor)).toEqual([0, 0, 0]);
  expect(anchorOf(stageOf(), [0, 0, 0])).toBeNull();
});
