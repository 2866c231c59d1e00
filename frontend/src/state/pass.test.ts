import { expect, test } from "vitest";
import { decoderGraph, SPECS } from "../graph/fixtures";
import { passOf } from "../graph/pass";
import { readAddress, writeAddress } from "./address";
import { readStep, writeStep } from "./pass";

const { capacity, ...spec } = SPECS.sort!;
const pass = passOf(decoderGraph(spec), { target: capacity, source: 0 });

test("a step comes back from the address as it was written, done or half-way", () => {
  for (const { number } of pass.steps)
    for (const progress of [0, 0.25, 0.417, 1]) {
      const written = writeAddress({ step: writeStep(pass.steps[number]!, progress) });
      expect(written).not.toContain("%");
      expect(readStep(readAddress(written, "").step!, pass)).toEqual({ step: number, progress });
    }
});

test("what names no step of this model is no step", () => {
  for (const text of ["", "W_E", "blocks.9.hook_resid_mid", "hook_embed-", "hook_embed-x", "hook_embed 1"])
    expect(readStep(text, pass)).toBeNull();
});
