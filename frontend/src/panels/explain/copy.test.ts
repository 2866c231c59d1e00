/** What TransformerLens 4 gives under our names was found out with it: every tensor of several families compared
 *  with its cache (docs/guide/explain.md). These tests hold the snippets to that. */

import { describe, expect, it } from "vitest";
import { decoderGraph, familyGraph, SPECS } from "../../graph/fixtures";
import { getTensor } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import type { Cell } from "../../state/store";
import { type CopyContext, snippets } from "./copy";

function texts(graph: Graph, cell: Cell, more: Partial<CopyContext> = {}): Record<string, string> {
  const context: CopyContext = {
    origin: "http://127.0.0.1:8000",
    model: "stories",
    bundled: true,
    kind: "decoder",
    graph,
    place: { kind: "runs", id: "f00" },
    info: getTensor(graph, cell.tensor),
    value: 0.1,
    tokens: [3, 5],
    ...more,
  };
  return Object.fromEntries(snippets(cell, context).map(({ name, text }) => [name, text]));
}

const last = (text: string | undefined): string => text?.split("\n").at(-1) ?? "";

describe("curl and Python", () => {
  const graph = decoderGraph(SPECS.sort!);

  it("ask for the cell, and for the row that it stands in", () => {
    const { curl, Python } = texts(graph, { tensor: "blocks.0.attn.hook_q", index: [4, 2, 5] });
    expect(curl).toBe(
      "curl 'http://127.0.0.1:8000/api/v1/runs/f00/explain/blocks.0.attn.hook_q?index=4%2C2%2C5&direction=backward'",
    );
    expect(Python).toContain(
      'url = "http://127.0.0.1:8000/api/v1/runs/f00/activations/blocks.0.attn.hook_q?index=4,2,:&format=npy"',
    );
    expect(last(Python)).toBe("print(row[5])  # blocks.0.attn.hook_q[4, 2, 5]: pos, head, d_head");
  });

  it("ask the model for weights", () => {
    const { Python } = texts(graph, { tensor: "ln_final.w", index: [7] });
    expect(Python).toContain("/models/stories/weights/ln_final.w?index=:&format=npy");
    expect(last(Python)).toContain("print(row[7])");
  });
});

describe("TransformerLens", () => {
  const gpt = decoderGraph(SPECS.sort!);
  const lens = (graph: Graph, tensor: string, index: number[], more: Partial<CopyContext> = {}): string =>
    texts(graph, { tensor, index }, more).TransformerLens!;

  it("loads the bundled folder as it is, and any other by what it is called", () => {
    const text = lens(gpt, "blocks.0.attn.hook_q", [4, 2, 5]);
    expect(text).toContain('boot_transformers("models/stories")');
    expect(text).toContain("enable_compatibility_mode(no_processing=True)");
    expect(last(text)).toBe(
      'print(cache["blocks.0.attn.hook_q"][0, 4, 2, 5].item())  # batch, pos, head, d_head',
    );
    expect(lens(gpt, "W_E", [1, 2], { bundled: false, model: "gpt2" })).toContain(
      'boot_transformers("gpt2")',
    );
  });

  it("knows where each number is", () => {
    expect(last(lens(gpt, "logits", [1, 2]))).toBe("print(model(tokens)[0, 1, 2].item())");
    expect(last(lens(gpt, "probabilities", [1, 2]))).toBe("print(model(tokens).softmax(-1)[0, 1, 2].item())");
    expect(last(lens(gpt, "blocks.1.ln2.hook_scale", [3]))).toContain("[0, 3, 0].item())");
    expect(last(lens(gpt, "blocks.1.mlp.W_in", [3, 4]))).toBe("print(model.blocks[1].mlp.W_in[3, 4].item())");
    expect(last(lens(gpt, "W_U", [3, 2]))).toBe("print(model.unembed.W_U[3, 2].item())");
    expect(lens(gpt, "blocks.0.attn.hook_result", [1, 2, 3])).toContain("set_use_attn_result(True)");
    const qwen = familyGraph("qwen3");
    expect(last(lens(qwen, "blocks.0.attn.q_norm.hook_out", [5, 1, 2]))).toContain(
      "[0, 1, 5, 2].item())  # batch, head, pos",
    );
  });

  it("says what it has no name for, and what it means otherwise", () => {
    for (const tensor of [
      "blocks.0.attn.hook_max",
      "blocks.0.ln1.hook_mean",
      "blocks.0.attn.hook_attn_scores_raw",
    ])
      expect(lens(gpt, tensor, [0, 0, 0])).toMatch(/^# TransformerLens has no name for/);
    const neox = familyGraph("neox");
    expect(lens(neox, "blocks.0.attn.hook_rot_q", [0, 0, 0])).toMatch(/^# TransformerLens has no name/);
    expect(lens(familyGraph("phi"), "blocks.0.attn.hook_rot_q", [0, 0, 0])).toContain("cache[");
    const bert = familyGraph("bert");
    const encoder = { kind: "encoder" };
    expect(lens(bert, "blocks.0.hook_attn_out", [0, 0], encoder)).toMatch(/^# By .* means other numbers/);
    expect(lens(bert, "mlm_head.hook_pre", [0, 0], encoder)).toMatch(/^# TransformerLens has no name/);
    expect(lens(bert, "blocks.0.attn.hook_q", [0, 0, 0], encoder)).toContain("cache[");
    const t5 = { kind: "encoder_decoder" };
    expect(lens(familyGraph("t5"), "decoder.blocks.0.attn.hook_q", [0, 0, 0], t5)).toMatch(
      /^# TransformerLens names/,
    );
  });
});
