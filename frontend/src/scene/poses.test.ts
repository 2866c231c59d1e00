import { describe, expect, it } from "vitest";
import { moves, type Poses, posesBetween } from "./poses";

const home: Poses = new Map();
const front: Poses = new Map([
  [4, { offset: [8, 0, 20] as const, label: "q" }],
  [5, { dim: 0.9 }],
]);

describe("plates on their way", () => {
  it("stand halfway in the middle of it, and come to the very place", () => {
    const half = posesBetween(home, front, 0.5);
    expect(half.get(4)).toEqual({ offset: [4, 0, 10], dim: 0, label: "q" });
    expect(half.get(5)?.dim).toBeCloseTo(0.45);
    expect(posesBetween(home, front, 1)).toBe(front);
  });

  it("go back to where the layout has them", () => {
    expect(posesBetween(front, home, 0.5).get(4)?.offset).toEqual([4, 0, 10]);
    expect(posesBetween(front, home, 1)).toBe(home);
  });

  it("glide only where one of them has a way to go", () => {
    expect(moves(home, front)).toBe(true);
    expect(moves(front, front)).toBe(false);
    expect(moves(home, new Map([[5, { dim: 0.9 }]]))).toBe(false);
  });
});
