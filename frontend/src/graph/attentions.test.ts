import { expect, test } from "vitest";
import answers from "../../../tests/fixtures/family_graphs.json";
import { attentionOf, attentionParts, headsOf, maskOf, ofSource, stagesOf } from "./attentions";
import type { Graph } from "./types";

const graphs = answers as unknown as Readonly<Record<string, Graph>>;
const t5 = graphs.t5!;
const llama = graphs.llama!;

test("an encoder-decoder has three attentions, a decoder one", () => {
  expect([...attentionParts(t5).keys()].sort()).toEqual(["cross", "decoder", "encoder"]);
  expect(attentionParts(t5).get("cross")?.[1]).toBe("decoder.blocks.1.cross_attn");
  expect([...attentionParts(llama)][0]).toEqual(["self", ["blocks.0.attn", "blocks.1.attn"]]);
});

test("queries of cross-attention are of the target, its keys of the source", () => {
  const axes = (module: string) => [ofSource(t5, module, "query_pos"), ofSource(t5, module, "key_pos")];
  expect(axes("decoder.blocks.0.cross_attn")).toEqual([false, true]);
  expect(axes("encoder.blocks.0.attn")).toEqual([true, true]);
  expect(axes("decoder.blocks.0.attn")).toEqual([false, false]);
});

test("what masks nothing has no scores before a mask", () => {
  expect(stagesOf(t5, "encoder.blocks.0.attn")).toEqual(["hook_attn_scores", "hook_pattern"]);
  expect(stagesOf(llama, "blocks.0.attn")).toHaveLength(3);
  expect(maskOf(t5, "encoder.blocks.0.attn")).toBeNull();
  const masked = maskOf(llama, "blocks.0.attn")!;
  expect([masked(2, 3), masked(2, 2), masked(3, 0)]).toEqual([true, false, false]);
});

test("a tensor leads to its attention", () => {
  expect(attentionOf(t5, "decoder.blocks.1.cross_attn.hook_attn_scores")).toEqual({
    part: "cross",
    layer: 1,
    stage: "hook_attn_scores",
  });
  expect(attentionOf(llama, "blocks.0.attn.hook_q")).toBeNull();
});

test("heads of a group share their keys", () => {
  expect(headsOf(llama)).toEqual({ heads: 4, group: 2 });
});
