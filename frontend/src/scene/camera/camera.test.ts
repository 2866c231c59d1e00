import { Matrix4, Vector4 } from "three";
import { expect, test } from "vitest";
import { add, between, eyeOf, framing, lookingFrom, sane, type Vec3, viewMatrix } from "./camera";

const corners: Vec3[] = [0, 900].flatMap((x) =>
  [0, -4000].flatMap((y) => [-300, 0].map((z): Vec3 => [x, y, z])),
);

function onScreen(point: Vec3, state: Parameters<typeof eyeOf>[0], aspect: number): Vector4 {
  const rest = add(point, eyeOf(state), -1);
  const at = new Vector4(...rest, 1).applyMatrix4(viewMatrix(state, aspect, 1, 1e6, new Matrix4()));
  return at.divideScalar(at.w);
}

test.each([0.4, 1, 2.2])(
  "framing cuts nothing off and leaves no more room than asked, aspect %f",
  (aspect) => {
    const state = framing(corners, aspect, -25, 13);
    let reach = 0;
    for (const corner of corners) {
      const at = onScreen(corner, state, aspect);
      reach = Math.max(reach, Math.abs(at.x), Math.abs(at.y));
    }
    expect(reach).toBeLessThan(0.9401);
    expect(reach).toBeGreaterThan(0.9);
  },
);

test("framing leaves room for words on the left, above and below", () => {
  const state = framing(corners, 1.3, -25, 13, { left: 0.2, above: 0.1, below: 0.15 });
  const seen = corners.map((corner) => onScreen(corner, state, 1.3));
  // A share of the height is 2 in these units, and 2 over the aspect across.
  expect(Math.min(...seen.map(({ x }) => x))).toBeGreaterThan(-0.94 + 0.4 / 1.3 - 1e-3);
  expect(Math.max(...seen.map(({ y }) => y))).toBeLessThan(0.88 - 0.2 + 1e-3);
  expect(Math.min(...seen.map(({ y }) => y))).toBeGreaterThan(-0.94 + 0.3 - 1e-3);
});

test("a state and its eye say the same", () => {
  const state = sane({ target: [10, 20, 30], distance: 55, azimuth: -20, elevation: 10 });
  const again = lookingFrom(eyeOf(state), 55, -20, 10);
  for (const axis of [0, 1, 2]) expect(again.target[axis]).toBeCloseTo(state.target[axis] as number, 9);
});

test("the eye never goes behind the plates, and nonsense becomes a place", () => {
  expect(sane({ target: [Number.NaN, 0, 0], distance: -3, azimuth: 200, elevation: -200 })).toEqual({
    target: [0, 0, 0],
    distance: 2,
    azimuth: 78,
    elevation: -60,
  });
});

test("a flight begins and ends where it should", () => {
  const from = sane({ target: [0, 0, 0], distance: 5000, azimuth: -25, elevation: 13 });
  const to = sane({ target: [400, 900, 10], distance: 40, azimuth: 0, elevation: 0 });
  for (const [t, state] of [
    [0, from],
    [1, to],
  ] as const) {
    const at = between(from, to, t);
    expect(at.distance).toBeCloseTo(state.distance, 6);
    for (const axis of [0, 1, 2]) expect(at.target[axis]).toBeCloseTo(state.target[axis] as number, 6);
  }
});
