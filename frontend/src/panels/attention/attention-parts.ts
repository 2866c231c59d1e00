/** Shared by the views of the attention panel: the tokens along the axes of an attention, and its colours. */

import { tokenText } from "../../format";
import { findTensor } from "../../graph/shape";
import type { Attention } from "../../state/attention";
import { rests } from "../../state/run";
import { ownScaleOf } from "../../state/scales";
import { made, sourceText, tokensRead } from "../../state/source";
import { arrived, graph, run } from "../../state/store";

export interface AxisTokens {
  readonly queries: readonly string[];
  readonly keys: readonly string[];
  /** True where the model has computed this attention for what it has read. */
  readonly rowsHere: boolean;
}

/** The tokens that an attention's queries and keys stand for. */
export function axisTokens({ tensor, queriesOfSource, keysOfSource }: Attention): AxisTokens {
  const target = tokensRead.value.map(({ text: word }) => word);
  const ofSource = sourceText.value.source.map(({ text: word }) => word);
  const now = run.value;
  const read = (now?.top.length ?? 0) > 0 || (now?.predictions.length ?? 0) > 0;
  // What is made without a run comes as it is asked for.
  const rested = rests(now) || made.value !== null;
  return {
    queries: queriesOfSource ? ofSource : target,
    keys: keysOfSource ? ofSource : target,
    rowsHere: read || rested || arrived.value.has(tensor),
  };
}

/** |value| of full colour of a tensor. */
export function fullColour(tensor: string): number {
  const info = graph.value && findTensor(graph.value, tensor);
  return info ? ownScaleOf(info) : 1;
}

const place = (texts: readonly string[], at: number) =>
  texts[at] === undefined ? `position ${at}` : `“${tokenText(texts[at])}” (${at})`;
export const queryPlace = ({ queries }: AxisTokens, at: number) => place(queries, at);
export const keyPlace = ({ keys }: AxisTokens, at: number) => place(keys, at);

/** The lenses' name of a stage. */
export const stageWord = (stage: string): string => stage.replace("hook_attn_", "").replace("hook_", "");
