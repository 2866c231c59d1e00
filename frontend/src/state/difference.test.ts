import { expect, test } from "vitest";
import { decoderGraph, SPECS } from "../graph/fixtures";
import { findTensor } from "../graph/shape";
import type { Token } from "../net/types";
import { pairedTokens, partnerOf, readComparison, withRun, writeComparison } from "./difference";

const graph = decoderGraph(SPECS.sort!);
const token = (id: number): Token => ({ id, text: `t${id}`, start: 0, end: 0 });
const tokens = (...ids: number[]) => ids.map(token);

test("queries and keys have partners, heads and features are the same; one without a partner has none", () => {
  const pairs = { pairs: [0, null, 1, 2], source_pairs: [] };
  const of = (name: string, ...index: number[]) => partnerOf(findTensor(graph, name)!, index, pairs);
  expect(of("blocks.0.attn.hook_pattern", 2, 3, 2)).toEqual([2, 2, 1]);
  expect(of("blocks.0.attn.hook_pattern", 2, 3, 1)).toBeNull();
  expect(of("blocks.1.hook_resid_post", 3, 40)).toEqual([2, 40]);
  expect(of("blocks.1.hook_resid_post", 9, 40)).toBeNull();
});

test("tokens are counted as the same, replaced or alone", () => {
  expect(pairedTokens(tokens(1, 9, 5, 3), tokens(1, 2, 3), [0, null, 1, 2])).toEqual({
    same: 2,
    replaced: 1,
    alone: 1,
  });
});

test("a text is listed once, the latest first", () => {
  const run = (id: string, ...ids: number[]) => ({ run: id, model: "m", source: [], tokens: tokens(...ids) });
  const list = withRun(withRun(withRun([], run("a", 1)), run("b", 2)), run("a", 1, 7));
  expect(list.map((one) => one.run)).toEqual(["a", "b"]);
  expect(withRun(list, run("c", 2)).map((one) => one.run)).toEqual(["c", "a"]);
});

test("the address holds what is taken away, by its tokens", () => {
  const own = { model: "m", tokens: tokens(3, 14), source: [] };
  expect(readComparison(writeComparison(own))).toEqual({ tokens: [3, 14] });
  expect(readComparison(writeComparison({ ...own, source: tokens(7) }))).toEqual({
    tokens: [7],
    target: [3, 14],
  });
  const kinds = [0, 1];
  expect(readComparison(writeComparison({ ...own, kinds }))).toEqual({ tokens: [3, 14], kinds });
  // Where all is of the first kind nothing need be said of kinds.
  expect(writeComparison({ ...own, kinds: [0, 0] })).toBe("3_14");
  for (const nonsense of ["", "1_", "a", "1~", "-1", "1~2~3", "1!", "1_2!0", "1~2!0"])
    expect(readComparison(nonsense)).toBeNull();
});
