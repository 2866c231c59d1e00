/** What a page needs before anything else, asked for before the map is made: making it takes the processor a while, in
 *  which answers come. */

import type { Graph } from "../graph/types";
import { type Capabilities, getCapabilities, getGraph, getModels, getWeightScales } from "../net/rest";
import type { ModelSummary } from "../net/types";

type Scales = Readonly<Record<string, number>>;

let known: { readonly model: string; readonly answers: Promise<[Graph, Scales]> } | null = null;

/** Asks for the list of models, and for the graph of the model that the address names, if it names one. */
export function askEarly(model: string | undefined): Promise<[readonly ModelSummary[], Capabilities]> {
  const lists = quiet(Promise.all([getModels(), getCapabilities()]));
  if (model !== undefined) known = { model, answers: quiet(ask(model)) };
  return lists;
}

/** A model's graph and the scales of its weights. */
export function graphAndScales(model: string): Promise<[Graph, Scales]> {
  const early = known?.model === model ? known.answers : ask(model);
  known = null;
  return early;
}

const ask = (model: string): Promise<[Graph, Scales]> =>
  Promise.all([getGraph(model), getWeightScales(model)]);

/** A refusal is told to whoever takes the answer, and until then to nobody. */
function quiet<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  return answer;
}
