import { expect, test } from "vitest";
import { changedLens, type OpenLens, readLenses, withLens, withoutLens, writeLenses } from "./lenses";

const OPEN: readonly OpenLens[] = [
  { name: "contributions", query: { token: " girl", minus: "~!&?=#" }, face: "figure" },
  { name: "surprisal", query: {}, face: "table" },
];

test("open lenses survive the address", () => {
  expect(readLenses(writeLenses(OPEN))).toEqual(OPEN);
  const fragment = new URLSearchParams({ lenses: writeLenses(OPEN) }).toString();
  expect(readLenses(new URLSearchParams(fragment).get("lenses"))).toEqual(OPEN);
  expect(readLenses(writeLenses([]))).toEqual([]);
  expect(readLenses(null)).toBeUndefined();
});

test("what makes no sense is left out", () => {
  expect(readLenses("logit_lens!sideways~<script>~logit_lens?at=MLP~neuron?layer=2")).toEqual([
    { name: "logit_lens", query: {}, face: "figure" },
    { name: "neuron", query: { layer: "2" }, face: "figure" },
  ]);
});

test("a lens is open once, the one opened last on top", () => {
  const open = withLens(withLens(OPEN, "rollout"), "surprisal", { temperature: "2" });
  expect(open.map(({ name }) => name)).toEqual(["surprisal", "rollout", "contributions"]);
  expect(open[0]?.query).toEqual({ temperature: "2" });
  expect(withoutLens(open, "rollout").map(({ name }) => name)).toEqual(["surprisal", "contributions"]);
  expect(changedLens(OPEN, "surprisal", { face: "notes" })[1]?.face).toBe("notes");
});
