/** Searches over graphs that the server gave, with a text of known tokens. */

import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import type { Graph } from "../graph/types";
import { layout } from "../layout/layout";
import type { Token } from "../net/types";
import { examples, find, findPasted } from "./find";
import { parseQuery, textsToLookUp } from "./query";
import type { Scope } from "./types";

const tokensOf = (...texts: readonly string[]): Token[] =>
  texts.map((text, at) => ({ id: 100 + at, text, start: at, end: at + 1 }));

const TEXT = tokensOf("<|endoftext|>", "The", " cat", " sat", " on", " the", " cat");

function scopeOf(graph: Graph, vocabulary: Record<string, readonly Token[]> = {}): Scope {
  const map = layout(graph, { capacity: 16, aspect: 1.3 });
  const { regions } = map;
  return { graph, regions, tokens: TEXT, source: [], vocabulary: new Map(Object.entries(vocabulary)) };
}

const CAT = { " cat": [{ id: 312, text: " cat", start: 0, end: 4 }] };
const stories = scopeOf(decoderGraph(SPECS.stories!), CAT);

const titles = (text: string, scope = stories): readonly string[] =>
  find(text, scope).finds.map(({ title }) => title);
const first = (text: string, scope = stories) => find(text, scope).finds[0];

describe("a search for a name", () => {
  it.each([
    ["blocks.3.attn.hook_pattern", "blocks.3.attn.hook_pattern"],
    ["BLOCKS.3.ATTN.HOOK_PATTERN", "blocks.3.attn.hook_pattern"],
    ["pattern", "blocks.0.attn.hook_pattern"],
    ["q", "blocks.0.attn.hook_q"],
    ["W_Q", "blocks.0.attn.W_Q"],
    ["logits", "logits"],
    ["mlp pre L4", "blocks.4.mlp.hook_pre"],
    ["scores raw block 2", "blocks.2.attn.hook_attn_scores_raw"],
    ["layer 5 queries", "blocks.5.attn.hook_q"],
    ["residual L1 mid", "blocks.1.hook_resid_mid"],
    ["unembed", "W_U"],
    ["pattren L3", "blocks.3.attn.hook_pattern"],
    ["L3 patern", "blocks.3.attn.hook_pattern"],
  ])("%s finds %s first", (text, title) => {
    expect(titles(text)[0]).toBe(title);
  });

  it("finds every tensor of every family by its own name, first", () => {
    for (const graph of [
      ...Object.values(SPECS).map((spec) => decoderGraph({ ...spec, layers: 2 })),
      ...FAMILIES.map(({ family, spec }) => familyGraph(family, { ...spec, layers: 2 })),
    ])
      for (const { name } of graph.tensors)
        expect(titles(name, { ...stories, graph, regions: [] })[0]).toBe(name);
  });

  it("marks what was typed, where the name has it", () => {
    const found = first("L3H5 pattern")!;
    const marked = found.marks.map(([from, to]) => found.title.slice(from, to));
    expect(marked).toEqual(["blocks.3", "pattern", "[5]"]);
  });
});

describe("the words that learners use", () => {
  const firstOf = (text: string) => {
    const { title, target, meaning } = first(text)!;
    return [title, target.kind, meaning !== ""];
  };
  it.each([
    ["layer norm", "blocks.0.ln1.hook_out", "cells"],
    ["LayerNorm", "blocks.0.ln1.hook_out", "cells"],
    ["softmax", "blocks.0.attn.hook_pattern", "cells"],
    ["induction", "Measures of heads", "lens"],
    ["induction heads", "Measures of heads", "lens"],
    ["what is W_O", "blocks.0.attn.W_O", "cells"],
    ["What is W_O?", "blocks.0.attn.W_O", "cells"],
    ["what are queries", "blocks.0.attn.hook_q", "cells"],
    ["what does softmax do?", "blocks.0.attn.hook_pattern", "cells"],
    ["query", "blocks.0.attn.hook_q", "cells"],
    ["key", "blocks.0.attn.hook_k", "cells"],
    ["value", "blocks.0.attn.hook_v", "cells"],
    ["residual stream", "blocks.0.hook_resid_pre", "cells"],
    ["positional encoding", "W_pos", "cells"],
    ["where is the embedding", "Embedding", "region"],
    ["attention", "Block 0 · Attention", "region"],
    ["logits", "logits", "cells"],
    ["temperature", "temperature", "field"],
    ["perplexity", "Surprisal", "lens"],
  ])("%s leads to %s, with a line of meaning", (text, title, kind) => {
    expect(firstOf(text)).toEqual([title, kind, true]);
  });

  it("come before pieces of tokens, and each is named once", () => {
    const pieces = tokensOf("l", "ay", "er", " norm");
    const scope = scopeOf(decoderGraph(SPECS.stories!), { "layer norm": pieces, " layer norm": pieces });
    const found = titles("layer norm", scope);
    expect(found.slice(0, 3).every((title) => title.includes("ln"))).toBe(true);
    expect(new Set(found).size).toBe(found.length);
  });

  it("a word of the text is still found as a token", () => {
    expect(titles("what")).toEqual([]);
    expect(titles("the").slice(0, 2)).toEqual(["“The”", "“␣the”"]);
  });
});

describe("shorthand", () => {
  it.each([
    ["L3H5 pattern", "blocks.3.attn.hook_pattern", [5, null, null]],
    ["l3 h5 pattern", "blocks.3.attn.hook_pattern", [5, null, null]],
    ["3.5 pattern", "blocks.3.attn.hook_pattern", [5, null, null]],
    ["block 3 head 5 pattern", "blocks.3.attn.hook_pattern", [5, null, null]],
    ["L2H1 q[4]", "blocks.2.attn.hook_q", [4, 1, null]],
    ["L2H1 q[-1, 31]", "blocks.2.attn.hook_q", [6, 1, 31]],
    ["L2 q[4, 1, 7]", "blocks.2.attn.hook_q", [4, 1, 7]],
    ["L3H5 pattern [6, :]", "blocks.3.attn.hook_pattern", [5, 6, null]],
    ["resid_post L0 @2", "blocks.0.hook_resid_post", [2, null]],
    ["W_E ' cat'", "W_E", [312, null]],
    ["W_U ' cat'", "W_U", [null, 312]],
    ["W_E 'cat'", "W_E", [312, null]],
    ["W_E #7", "W_E", [7, null]],
    ["logits[3] ' cat'", "logits", [3, 312]],
    ["L0H1 pattern ' sat'", "blocks.0.attn.hook_pattern", [1, 3, null]],
  ])("%s", (text, tensor, index) => {
    expect(first(text)?.target).toEqual({ kind: "cells", tensor, index });
  });

  it("leads to sections: a block, a head, what is named", () => {
    expect(titles("L3")[0]).toBe("Block 3");
    expect(titles("L3H5")[0]).toBe("Block 3 · Attention · Head 5");
    expect(titles("L3 mlp")[0]).toBe("Block 3 · MLP");
    expect(titles("attention block 1")[0]).toBe("Block 1 · Attention");
    expect(titles("embedding")[0]).toBe("Embedding");
    expect(titles("output")[0]).toBe("Output");
  });

  it("a token at several places of the text is found at each", () => {
    const places = find("L0H0 z ' cat'", stories).finds.map(({ target }) => target);
    expect(places).toEqual([
      { kind: "cells", tensor: "blocks.0.attn.hook_z", index: [2, 0, null] },
      { kind: "cells", tensor: "blocks.0.attn.hook_z", index: [6, 0, null] },
    ]);
  });

  it("keys that heads share are found by each of these heads", () => {
    const graph = familyGraph("llama", {
      layers: 2,
      heads: 6,
      kv_heads: 2,
      d_model: 48,
      d_head: 8,
      d_mlp: 96,
      d_vocab: 50,
      positions: 16,
    });
    const found = first("L1H4 k[2]", { ...stories, graph, regions: [] });
    expect(found?.target).toEqual({ kind: "cells", tensor: "blocks.1.attn.hook_k", index: [2, 1, null] });
  });
});

describe("tokens", () => {
  it("of the text come before those of the vocabulary", () => {
    expect(find("' cat'", stories).finds.map(({ note }) => note)).toEqual([
      "position 2 of the text · its column",
      "position 6 of the text · its column",
      "row 312 · its embedding",
      "column 312 · its unembedding",
    ]);
  });

  it("are found by part of their text, below names", () => {
    const found = titles("sat");
    expect(found).toContain("“␣sat”");
    expect(titles("the").slice(0, 2)).toEqual(["“The”", "“␣the”"]);
  });

  it("that a word is cut into are said to be pieces", () => {
    const cut = tokensOf(" ele", "phant");
    const found = find("elephant", scopeOf(decoderGraph(SPECS.stories!), { " elephant": cut })).finds;
    expect(found.map(({ note }) => note)).toContain("row 101 · its embedding · piece 2 of 2 of “␣elephant”");
  });

  it("say which texts the vocabulary is to be asked for", () => {
    expect(textsToLookUp("cat")).toEqual(["cat", " cat"]);
    expect(textsToLookUp("W_E ' cat'")).toEqual([" cat"]);
    expect(textsToLookUp("W_E ' ca")).toEqual([" ca"]);
    expect(textsToLookUp("L3H5 pattern")).toEqual([]);
    expect(textsToLookUp("")).toEqual([]);
  });
});

describe("what is not there", () => {
  it.each([
    ["L9 pattern", "There is no block 9.", "Blocks go from 0 to 5."],
    ["L1H7 q", "There is no head 7.", "Heads go from 0 to 5."],
    ["@40", "Position 40 has not been read.", "The text has positions 0 to 6."],
    [
      "blocks.0.attn.hook_q[0, 6, 0]",
      "blocks.0.attn.hook_q has no such cell.",
      "Its axes are pos 7, head 6, d_head 32; each counts from 0.",
    ],
    [
      "xyzzy plugh",
      "Nothing here answers to “xyzzy plugh”.",
      "Names, shorthand and tokens work; some that this model has:",
    ],
  ])("%s: %s %s", (text, message, hint) => {
    expect(find(text, stories)).toEqual({ finds: [], more: 0, problem: { message, hint } });
  });

  it.each(["", "   ", "[", "[[[", "'", "#", "@", "L", "[:,", "\\", "(?", "[1,2,3,4,5,6]"])(
    "%s is no reason to fail",
    (text) => {
      expect(() => find(text, stories)).not.toThrow();
    },
  );
});

describe("pasted text", () => {
  it.each([
    ["blocks.3.attn.hook_pattern[5, 1, 2]", "blocks.3.attn.hook_pattern", [5, 1, 2]],
    ["  blocks.3.attn.hook_pattern ", "blocks.3.attn.hook_pattern", [null, null, null]],
    [
      "curl 'http://127.0.0.1:8000/api/v1/runs/r1/explain/blocks.0.attn.hook_q?index=3%2C1%2C5&direction=backward'",
      "blocks.0.attn.hook_q",
      [3, 1, 5],
    ],
    [
      'url = "http://h/api/v1/models/stories/weights/blocks.0.mlp.W_in?format=npy" W_in = np.load(url) print(W_in[3, 70])  # d_model, d_mlp',
      "blocks.0.mlp.W_in",
      [3, 70],
    ],
    [
      '_, cache = model.run_with_cache(tokens) print(cache["blocks.0.attn.hook_pattern"][0, 2, 4, 1])  # batch, head',
      "blocks.0.attn.hook_pattern",
      [2, 4, 1],
    ],
    ['print(cache["blocks.0.ln1.hook_scale"][0, 4, 0])', "blocks.0.ln1.hook_scale", [4]],
    [
      "model = HookedTransformer(cfg) print(model.blocks[2].attn.W_Q[1, 4, 3])",
      "blocks.2.attn.W_Q",
      [1, 4, 3],
    ],
    ["print(model.unembed.W_U[7, 9])", "W_U", [7, 9]],
    ["print(model(tokens)[0, 3, 7])", "logits", [3, 7]],
    ["print(model(tokens).softmax(-1)[0, 3, 7])", "probabilities", [3, 7]],
    [
      "http://h/?model=stories&select=blocks.1.attn.hook_z%5B2_0_1%5D#text=a",
      "blocks.1.attn.hook_z",
      [2, 0, 1],
    ],
  ])("%s", (text, tensor, index) => {
    expect(findPasted(text, stories)?.target).toEqual({ kind: "cells", tensor, index });
  });

  it("that names nothing, or a cell beyond the end, leads nowhere", () => {
    expect(findPasted("blocks.9.attn.hook_pattern[0]", stories)).toBeNull();
    expect(findPasted("blocks.0.attn.hook_q[0, 9, 0]", stories)).toBeNull();
    expect(findPasted("Once upon a time", stories)).toBeNull();
  });
});

it("every example of every model leads somewhere", () => {
  for (const { family, spec } of FAMILIES) {
    const scope = scopeOf(familyGraph(family, { ...spec, layers: 2 }));
    for (const { text } of examples(scope))
      expect(textsToLookUp(text).length > 0 || titles(text, scope).length > 0, text).toBe(true);
    expect(examples(scope).length).toBeGreaterThan(3);
  }
});

it("words keep their apostrophes, and quotations their spaces", () => {
  expect(parseQuery("don't").words).toEqual(["don't"]);
  expect(parseQuery('W_E " don\'t"').token).toEqual({ text: " don't", quoted: true });
});

describe("bytes of one character", () => {
  const bytes = [" caf", "\\xc3", "\\xa9"].map((text, at) => ({ id: 40 + at, text, start: at, end: at + 1 }));
  const cut = [41, 42].map((id, at) => ({ id, text: at === 0 ? "\\xc3" : "\\xa9", start: at, end: at + 1 }));
  const scope = { ...scopeOf(decoderGraph(SPECS.stories!), { é: cut, " é": cut }), tokens: bytes };

  it.each(["é", "'é'", "#41", "@1", "W_E 'é'", "q 'é'"])(
    "%s names the character, and which byte of it",
    (text) => {
      const finds = find(text, scope).finds;
      const told = finds.map(({ title, note }) => `${title} ${note}`).join("\n");
      expect(told).not.toMatch(/\\x[0-9a-f]{2}/);
      expect(told).toContain(text.includes("_") ? "é" : "é(1/2)");
    },
  );

  it("counts the bytes in the note of a position and of a row of the vocabulary", () => {
    const notes = find("é", scope).finds.map(({ note }) => note);
    expect(notes).toContain("position 1 of the text · its column · byte 1 of 2 of “é”");
    expect(notes).toContain("row 42 · its embedding · byte 2 of 2 of “é”");
  });
});

it("says a sentence under one result", () => {
  for (const text of ["layer norm", "pattern", "W_O", "mlp", "block", "softmax"]) {
    const said = find(text, stories)
      .finds.map(({ meaning }) => meaning)
      .filter((meaning) => meaning !== "");
    expect(new Set(said).size, text).toBe(said.length);
  }
});
