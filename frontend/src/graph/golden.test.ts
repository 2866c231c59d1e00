/** Cells read and fed, and which are hidden, against the answers of the server's `cells.py` in `cells.json`. */

import { describe, expect, it } from "vitest";
import cases from "../../../tests/fixtures/cells.json";
import graphs from "../../../tests/fixtures/family_graphs.json";
import { type CellBox, cellsFed, cellsRead, maskOf, type Reading } from "./cells";
import type { Graph } from "./types";

interface Case {
  readonly tensor: string;
  readonly index: readonly number[];
  /** Boxes as `[tensor, part, start, stop]`, sorted. */
  readonly reads: readonly unknown[];
  readonly feeds: readonly unknown[];
  readonly hidden: boolean;
}
interface Family {
  readonly tokens: readonly number[];
  readonly source_tokens: readonly number[];
  readonly cells: readonly Case[];
}

const sorted = (boxes: readonly unknown[]) => boxes.map((box) => JSON.stringify(box)).sort();
const answer = (boxes: readonly CellBox[]) =>
  sorted(boxes.map(({ tensor, part, start, stop }) => [tensor, part, start, stop]));

describe.each(Object.entries(cases as unknown as Readonly<Record<string, Family>>))("%s", (name, family) => {
  const graph = (graphs as unknown as Readonly<Record<string, Graph>>)[name]!;
  const reading: Reading = {
    positions: { target: family.tokens.length, source: family.source_tokens.length },
    lookup: (tensor, [at]) =>
      tensor === "token_types" ? 0 : (tensor === "tokens" ? family.tokens : family.source_tokens)[at!],
  };

  it("reads, feeds and hides what the server says", () => {
    for (const { tensor, index, reads, feeds, hidden } of family.cells) {
      const cell = `${tensor}[${index}]`;
      expect(answer(cellsRead(graph, tensor, index, reading)), `${cell} reads`).toEqual(sorted(reads));
      expect(answer(cellsFed(graph, tensor, index, reading)), `${cell} feeds`).toEqual(sorted(feeds));
      expect(maskOf(graph, tensor, index) !== null, `${cell} is hidden`).toBe(hidden);
    }
  });
});
