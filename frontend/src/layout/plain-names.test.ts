import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import { findTensor } from "../graph/shape";
import type { Graph } from "../graph/types";
import { layout } from "./layout";
import { hasPlainName, plainName, regionSentence, sentence } from "./plain-names";

const graphs: readonly (readonly [string, Graph])[] = [
  ["decoder", decoderGraph(SPECS.sort!)],
  ...FAMILIES.map(({ name, family, spec }) => [name, familyGraph(family, spec)] as const),
];
const one = (text: string): boolean => /^[A-Z][^.!?]*\.$/.test(text);
const named = (graph: Graph, name: string) => plainName(findTensor(graph, name)!);

describe("plain names", () => {
  it.each(graphs)("%s: every tensor has a name and one sentence of its own", (_, graph) => {
    for (const tensor of graph.tensors) {
      expect(hasPlainName(tensor), tensor.name).toBe(true);
      expect(one(sentence(tensor)), `${tensor.name}: ${sentence(tensor)}`).toBe(true);
    }
  });

  it.each(graphs)("%s: every section has one sentence", (_, graph) => {
    for (const region of layout(graph, { capacity: 4, aspect: 1.3 }).regions)
      expect(one(regionSentence(region)), region.id).toBe(true);
  });

  it("are the words a learner uses", () => {
    const graph = graphs[0]![1];
    expect(named(graph, "W_E")).toBe("token table");
    expect(named(graph, "blocks.0.hook_resid_pre")).toBe("running sum");
    expect(named(graph, "blocks.0.ln1.hook_out")).toBe("norm");
    expect(named(graph, "blocks.0.ln1.w")).toBe("norm: gain");
  });

  it("say whose keys they are, and which tables nobody learned", () => {
    const graph = familyGraph("marian", FAMILIES.find(({ family }) => family === "marian")!.spec);
    expect(named(graph, "decoder.blocks.0.cross_attn.hook_k")).toBe("cross-attention keys");
    const sinusoids = graph.tensors.find(({ kind, learned }) => kind === "W_pos" && !learned)!;
    expect(sentence(sinusoids)).toContain("not learned");
  });
});
