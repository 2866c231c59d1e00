import { expect, test } from "vitest";
import { cellAfter, reveal } from "./matrix-moves";

test("arrow keys, Home, End and the page keys move a cell, and never out of the matrix", () => {
  const size = [20, 30] as const;
  const moves: [string, readonly [number, number] | null][] = [
    ["ArrowLeft", [5, 6]],
    ["ArrowRight", [5, 8]],
    ["ArrowUp", [4, 7]],
    ["ArrowDown", [6, 7]],
    ["Home", [5, 0]],
    ["End", [5, 29]],
    ["PageUp", [0, 7]],
    ["PageDown", [19, 7]],
    ["x", null],
  ];
  for (const [key, to] of moves) expect(cellAfter(key, [5, 7], size), key).toEqual(to);
  expect(cellAfter("PageDown", [5, 7], size, 2)).toEqual([7, 7]);
  expect(cellAfter("ArrowUp", [0, 0], size)).toEqual([0, 0]);
  expect(cellAfter("ArrowRight", [19, 29], size)).toEqual([19, 29]);
});

test("a cell is brought into view by the shortest way, clear of the labels", () => {
  const scroller = { scrollLeft: 100, scrollTop: 0, clientWidth: 200, clientHeight: 100 } as HTMLElement;
  const box = { x: 150, y: 20, width: 10, height: 10 };
  reveal(scroller, box);
  expect([scroller.scrollLeft, scroller.scrollTop]).toEqual([100, 0]);
  reveal(scroller, { ...box, x: 295, y: 95 });
  expect([scroller.scrollLeft, scroller.scrollTop]).toEqual([105, 5]);
  reveal(scroller, { ...box, x: 130 }, { left: 40, top: 0 });
  expect(scroller.scrollLeft).toBe(90);
});
