import { expect, test } from "vitest";
import answers from "../../../tests/fixtures/family_graphs.json";
import type { Graph } from "../graph/types";
import {
  FIRST_ATTENTION,
  headsShown,
  readAttention,
  readOrder,
  resolve,
  writeAttention,
  writeHeads,
  writeOrder,
} from "./attention";

const graphs = answers as unknown as Readonly<Record<string, Graph>>;
const t5 = graphs.t5!;
const bert = graphs.bert!;

test("an address keeps part, place, stage, view and what the view keeps", () => {
  const choice = {
    ...FIRST_ATTENTION,
    part: "cross",
    layer: 1,
    head: 3,
    view: "arcs",
    detail: "0.3",
  } as const;
  expect(writeAttention(choice)).toBe("cross_1_3_hook_pattern_arcs-0.3");
  expect(readAttention(writeAttention(choice))).toEqual(choice);
  const heads = { ...choice, view: "heads", detail: "induction-up" } as const;
  expect(readAttention(writeAttention(heads))).toEqual(heads);
});

test("an old address says block, head and stage alone", () => {
  expect(readAttention("2_4_hook_attn_scores_raw")).toEqual({
    ...FIRST_ATTENTION,
    layer: 2,
    head: 4,
    stage: "hook_attn_scores_raw",
  });
});

test.each(["", "2_4", "2_4_hook_z", "-1_0_hook_pattern", "0_0_hook_pattern_pie", "<script>"])(
  "%j cannot be read",
  (text) => {
    expect(readAttention(text)).toBeNull();
  },
);

test("what a model does not have is said, with what it has", () => {
  expect(resolve(bert, "fill", { ...FIRST_ATTENTION, part: "cross" }).problem).toEqual({
    message: "fill has no attention called “cross”.",
    hint: "It has: self.",
  });
  expect(resolve(t5, "t5", { ...FIRST_ATTENTION, part: "encoder", layer: 7 }).problem?.hint).toBe(
    "Choose block 0 to 1.",
  );
  expect(resolve(t5, "t5", { ...FIRST_ATTENTION, head: 99 }).problem?.message).toBe(
    "There is no head 99 in t5.",
  );
  const none = resolve({ ...t5, tensors: [] }, "t5", FIRST_ATTENTION);
  expect([none.attention, none.problem?.message]).toEqual([null, "t5 has no attention."]);
});

test("without a part an encoder-decoder shows how it looks at its source", () => {
  expect(resolve(t5, "t5", FIRST_ATTENTION).attention?.tensor).toBe(
    "decoder.blocks.0.cross_attn.hook_pattern",
  );
});

test("a stage that an attention lacks gives way to the scores it has", () => {
  const choice = { ...FIRST_ATTENTION, stage: "hook_attn_scores_raw" } as const;
  expect(resolve(bert, "fill", choice).attention?.stage).toBe("hook_attn_scores");
});

test("arcs of all heads, of some, of none", () => {
  expect(headsShown("", 3)).toEqual(new Set([0, 1, 2]));
  expect(headsShown("1.9", 3)).toEqual(new Set([1]));
  expect(headsShown("none", 3)).toEqual(new Set());
  for (const shown of [new Set([0, 1, 2]), new Set([2]), new Set<number>()])
    expect(headsShown(writeHeads(shown, 3), 3)).toEqual(shown);
});

test("the order of the board", () => {
  for (const detail of ["", "entropy", "first-up"]) expect(writeOrder(readOrder(detail))).toBe(detail);
});
