import { expect, test } from "vitest";
import { type Address, readAddress, samplingLeftOut, writeAddress } from "./address";
import { samplingProblem } from "./sampling";

const split = (address: string) => {
  const [search = "", hash = ""] = address.split("#");
  return readAddress(search, `#${hash}`);
};

test("an address says again what was written into it", () => {
  const address: Address = {
    model: "stories",
    text: "Once upon a time, 50 % & more # [x] ↵",
    pair: "a second & last",
    tokens: [1, 22, 4095],
    kinds: [0, 0, 1],
    prompt: 2,
    sampling: { temperature: 100, top_k: 2 ** 31 - 1, top_p: 0.95, seed: 2 ** 53 - 1, beams: 16 },
    camera: [1.5, -20, 3, 400, -12, 8],
    selected: { tensor: "blocks.0.attn.W_Q", index: [1, 2, 3] },
    panel: "attention",
    attention: "0_1_hook_pattern",
  };
  expect(split(writeAddress(address))).toEqual(address);
});

test("the text stands in the fragment, never in the query", () => {
  const [query] = writeAddress({ model: "stories", text: "a secret", tokens: [1], prompt: 1 }).split("#");
  expect(query).toBe("?model=stories");
});

test("what makes no sense is left out", () => {
  const address = readAddress(
    "?camera=a_b&select=nonsense&temperature=NaN&top_k=0&top_p=1&seed=1",
    "#tokens=1_x&prompt=9",
  );
  expect(Object.values(address).every((value) => value === undefined)).toBe(true);
});

test("sampling is bounded at the edge", () => {
  const good = { temperature: 0, top_k: 0, top_p: 1, seed: 0, beams: 1 };
  expect(samplingProblem(good)).toBeNull();
  expect(samplingProblem({ ...good, temperature: Number.NaN })).toMatch(/Temperature/);
  expect(samplingProblem({ ...good, top_k: 1.5 })).toMatch(/Top-k/);
  expect(samplingProblem({ ...good, top_p: 0 })).toMatch(/Top-p/);
  expect(samplingProblem({ ...good, seed: -1 })).toMatch(/seed/);
  expect(samplingProblem({ ...good, beams: 0 })).toMatch(/Beams/);
  expect(samplingProblem({ ...good, temperature: 100.5 })).toMatch(/Temperature/);
  expect(samplingProblem({ ...good, seed: 2 ** 53 })).toMatch(/seed/);
});

test("what the server takes as sampling, the address takes", () => {
  for (const more of [{ temperature: 100 }, { seed: 2 ** 31 }, { seed: 2 ** 53 - 1 }, { top_k: 2 ** 31 - 1 }])
    expect(samplingProblem({ temperature: 0, top_k: 0, top_p: 1, seed: 0, beams: 1, ...more })).toBeNull();
});

test("one field of the sampling is read without the others, and why all are left out is told", () => {
  expect(readAddress("?seed=4294967296", "").sampling).toEqual({ seed: 2 ** 32 });
  const refused = "?seed=1&temperature=1000&top_k=";
  expect(readAddress(refused, "").sampling).toBeUndefined();
  expect(samplingLeftOut(refused)).toMatch(/temperature=1000.*to 100\..*top_k=.*whole number/);
  expect(samplingLeftOut("?seed=1&beams=2")).toBeNull();
});
