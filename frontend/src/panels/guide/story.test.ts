import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../../graph/fixtures";
import { corner } from "../../layout/corner";
import { layout } from "../../layout/layout";
import { storyOf } from "./story";

const at = (min: [number, number], max: [number, number]) => ({
  min: [...min, 0] as const,
  max: [...max, 0] as const,
});

describe("the story of a model", () => {
  it("says where text goes in and a guess comes out, by the map's own places", () => {
    const graph = decoderGraph(SPECS.stories!);
    const map = layout(graph, { capacity: 16, aspect: 1.3 });
    const { into, within, out } = storyOf(graph, { kind: "decoder", has_tokenizer: true }, map);
    expect(within).toContain("takes in what it needs from those before it (attention)");
    expect(into).toBe(
      `Your text goes in at the upper left, one column a token (a word or a part of one), and runs through ${SPECS.stories!.layers} blocks.`,
    );
    expect(out).toMatch(
      /^A guess at the next word comes out .*: a share for each of the [\d,]+ tokens it knows\.$/,
    );
    expect(out).toMatch(/(right|lower).*:/);
  });

  it("speaks of ids where there is no tokenizer, and of no place where there is no map", () => {
    const graph = decoderGraph(SPECS.stories!);
    const { into, out } = storyOf(graph, { kind: "decoder", has_tokenizer: false }, null);
    expect(into).toMatch(/^Your token ids go in, one column a token/);
    expect(out).toContain("next token");
  });

  it("names no words where the graph has no logits", () => {
    const graph = decoderGraph(SPECS.stories!);
    const bare = { ...graph, tensors: graph.tensors.filter(({ name }) => name !== "logits") };
    const { out } = storyOf(bare, { kind: "encoder", has_tokenizer: true }, null);
    expect(out).toContain(`vector of ${graph.sizes.d_model} numbers for every token`);
  });

  it.each(FAMILIES.map(({ family, spec }) => [family, spec] as const))(
    "%s has whole sentences",
    (family, spec) => {
      const graph = familyGraph(family, spec);
      const map = layout(graph, { capacity: 16, aspect: 1.3 });
      const kind = graph.tensors.some(({ stack }) => stack === "decoder") ? "encoder_decoder" : "decoder";
      const { into, within, out } = storyOf(graph, { kind, has_tokenizer: true }, map);
      for (const text of [into, within, out]) expect(text).toMatch(/^[A-Z][^.]+\.$/);
      if (kind === "encoder_decoder") expect(into).toMatch(/encoder blocks?; .* decoder blocks? write/);
    },
  );
});

describe("a corner", () => {
  const whole = at([0, 0], [300, 300]);
  it.each([
    [at([0, 0], [50, 50]), "at the upper left"],
    [at([250, 250], [300, 300]), "at the lower right"],
    [at([100, 100], [200, 200]), "in the middle"],
    [at([250, 100], [300, 200]), "on the right"],
    [at([100, 0], [200, 20]), "at the top"],
  ])("%o", (part, words) => {
    expect(corner(part, whole)).toBe(words);
  });
});
