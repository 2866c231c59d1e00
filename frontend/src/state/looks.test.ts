import { describe, expect, it } from "vitest";
import { liveliest, lookOf } from "./looks";

const BOARD = {
  layers: [2, 3],
  looks: {
    query: 5,
    keys: [
      [1, 2],
      [3, 4],
    ],
    shares: [
      [0.9, 0.2],
      [0.5, 0.7],
    ],
    above: [
      [0.1, 0.15],
      [0.45, 0.3],
    ],
  },
};

describe("looks", () => {
  it("the liveliest head is the farthest above the usual, not the one with the largest share", () => {
    expect(liveliest(BOARD)).toEqual({ layer: 3, head: 0, query: 5, key: 3, share: 0.5 });
  });

  it("one head's look is found by its block, wherever the board begins", () => {
    expect(lookOf(BOARD, 3, 1)).toEqual({ layer: 3, head: 1, query: 5, key: 4, share: 0.7 });
    expect(lookOf(BOARD, 0, 1)).toBeNull();
    expect(lookOf(BOARD, 2, 9)).toBeNull();
  });

  it("a text with nothing to look at has no look", () => {
    expect(liveliest({ layers: [0], looks: null })).toBeNull();
  });
});
