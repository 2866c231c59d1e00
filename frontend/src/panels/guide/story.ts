/** What a model does with a text, in three sentences for whoever sees the map for the first time: what goes in and where,
 *  what a block does with it, what comes out and where. Everything in them is read from the graph, so they hold for every kind of model. */

import { formatCount } from "../../format";
import { findTensor } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import { corner } from "../../layout/corner";
import type { Layout, Region } from "../../layout/types";
import type { ModelSummary } from "../../net/types";

export interface Story {
  readonly into: string;
  readonly within: string;
  readonly out: string;
}

type Model = Pick<ModelSummary, "kind" | "has_tokenizer">;

/** `map` is null where none can be drawn; then nothing is said of places. */
export function storyOf(graph: Graph, model: Model, map: Pick<Layout, "regions" | "bounds"> | null): Story {
  const place = (kind: Region["kind"]) => {
    const region = map?.regions.find((one) => one.kind === kind);
    return region && map ? ` ${corner(region.bounds, map.bounds)}` : "";
  };
  const what = model.has_tokenizer ? "Your text goes" : "Your token ids go";
  // A word of the trade is explained where it is met first.
  const token = model.has_tokenizer ? " (a word or a part of one)" : "";
  const from = model.kind === "decoder" ? "those before it" : "others";
  const through =
    model.kind === "encoder_decoder"
      ? twoStacks(graph)
      : `${model.has_tokenizer ? "runs" : "run"} through ${blocks(graph, null)}`;
  return {
    into: `${what} in${place("embedding")}, one column a token${token}, and ${through}.`,
    within: `In each block every token takes in what it needs from ${from} (attention), and is worked on by itself (MLP).`,
    out: outcome(graph, model, place("output")),
  };
}

function twoStacks(graph: Graph): string {
  return `through ${blocks(graph, "encoder")}; ${blocks(graph, "decoder")} write the answer and look back at it`;
}

function blocks(graph: Graph, stack: "encoder" | "decoder" | null): string {
  const layers = graph.tensors.filter((tensor) => stack === null || tensor.stack === stack);
  const count = layers.reduce((most, { layer }) => Math.max(most, (layer ?? -1) + 1), 0);
  return `${formatCount(count)} ${stack === null ? "" : `${stack} `}${count === 1 ? "block" : "blocks"}`;
}

/** What the last tensors of the graph say. */
function outcome(graph: Graph, { kind, has_tokenizer }: Model, where: string): string {
  if (!findTensor(graph, "logits"))
    return `What comes out${where} is a vector of ${formatCount(graph.sizes.d_model ?? 0)} numbers for every token: this model names no words.`;
  const asked = `${kind === "encoder" ? "every hidden" : "the next"} ${has_tokenizer ? "word" : "token"}`;
  return `A guess at ${asked} comes out${where}: a share for each of the ${formatCount(graph.sizes.d_vocab ?? 0)} tokens it knows.`;
}
