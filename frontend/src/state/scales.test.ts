import { expect, test } from "vitest";
import {
  DEFAULT_SCALES,
  fullColour,
  type Measured,
  readScales,
  type ScaleChoice,
  withMode,
  withPin,
  writeScales,
} from "./scales";

const now: Measured = {
  kinds: { W_Q: 0.5, hook_q: 4, hook_resid_pre: 20 },
  tensors: { "blocks.0.attn.W_Q": 0.25 },
  roles: { weight: 0.5, activation: 20 },
};
const query = { name: "blocks.0.attn.W_Q", kind: "W_Q", role: "weight" } as const;
const vectors = { name: "blocks.1.attn.hook_q", kind: "hook_q", role: "activation" } as const;
const choice = (mode: ScaleChoice["mode"], pinned = {}): ScaleChoice => ({ mode, pinned });

test("full colour is shared over layers, over a role, a tensor's own, or set by hand", () => {
  expect(fullColour(query, DEFAULT_SCALES, now)).toBe(0.5);
  expect(fullColour(query, choice("tensor"), now)).toBe(0.25);
  expect(fullColour(vectors, choice("tensor"), now)).toBe(4); // its own has not come yet
  expect(fullColour(vectors, choice("role"), now)).toBe(20);
  expect(fullColour(vectors, choice("fixed", { activation: 7 }), now)).toBe(7);
  expect(fullColour({ ...vectors, kind: "unknown" }, DEFAULT_SCALES, now)).toBeNull();
});

test("what is pinned holds for its kind in every mode but fixed, where roles are pinned", () => {
  const pinned = withPin(DEFAULT_SCALES, vectors, 2);
  expect(fullColour({ ...vectors, name: "blocks.5.attn.hook_q" }, pinned, now)).toBe(2);
  expect(fullColour(query, pinned, now)).toBe(0.5);
  expect(fullColour(vectors, withMode(pinned, "tensor", now), now)).toBe(2);
  const fixed = withMode(pinned, "fixed", now);
  expect(fullColour(vectors, fixed, now)).toBe(20);
  expect(fullColour(query, withPin(fixed, query, 9), now)).toBe(9);
  expect(withPin(pinned, vectors, null)).toEqual(DEFAULT_SCALES);
});

test("the address holds what was chosen, and nothing where nothing was", () => {
  expect(writeScales(DEFAULT_SCALES)).toBeUndefined();
  for (const chosen of [
    choice("tensor"),
    choice("kind", { W_Q: 0.125, hook_q: 3 }),
    choice("fixed", { weight: 1e-7 }),
  ])
    expect(readScales(writeScales(chosen))).toEqual(chosen);
  expect(readScales("kind~W_Q=-1~W_K=x~W_V=0~b=Infinity~W_O=2")).toEqual(choice("kind", { W_O: 2 }));
  expect(readScales("nonsense~W_Q=1")).toEqual(DEFAULT_SCALES);
});
