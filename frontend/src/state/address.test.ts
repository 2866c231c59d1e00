import { expect, test } from "vitest";
import { type Address, readAddress, samplingProblem, writeAddress } from "./address";

const split = (address: string) => {
  const [search = "", hash = ""] = address.split("#");
  return readAddress(search, `#${hash}`);
};

test("an address says again what was written into it", () => {
  const address: Address = {
    model: "stories",
    text: "Once upon a time, 50 % & more # [x] ↵",
    tokens: [1, 22, 4095],
    prompt: 2,
    sampling: { temperature: 0.8, top_k: 0, top_p: 0.95, seed: 7, beams: 4 },
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
});
