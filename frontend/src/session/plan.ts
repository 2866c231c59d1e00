/** What a run is to read and write, as the page asks for it, and what a model can be asked to read. */

import { ApiError, tokenize } from "../net/rest";
import type { ModelSummary, Sampling, StartMessage, Token } from "../net/types";
import * as state from "../state/store";

export interface Plan {
  readonly model: string;
  readonly text?: string;
  /** A second text, read together with the first. */
  readonly pair?: string;
  readonly tokens?: readonly number[];
  /** The kind of text of each of `tokens`. */
  readonly kinds?: readonly number[];
  /** What the text of an encoder-decoder begins with; `text` or `tokens` are its source then. */
  readonly target?: readonly number[];
  readonly maxNewTokens: number;
  readonly write: boolean;
}

/** The message that starts a run. */
export function startMessage(request: string, plan: Plan): StartMessage {
  return {
    type: "start",
    request,
    model: plan.model,
    ...(plan.tokens ? { tokens: plan.tokens } : { text: plan.text ?? "" }),
    ...(plan.pair ? { text_pair: plan.pair } : {}),
    ...(plan.kinds ? { token_types: plan.kinds } : {}),
    ...(plan.target ? { target_tokens: plan.target } : {}),
    max_new_tokens: plan.maxNewTokens,
    sampling: state.sampling.value,
    write: plan.write,
  };
}

/** Numbers of the largest model that writes of itself when it is first shown: a larger one takes its time. */
const QUICK = 2e7;
/** Of a long text it writes three quarters: that plates are full, and *Write* still goes on in the same room. */
const LONG = 16;
const SHARE_WRITTEN = 0.75;

/** How many tokens a model writes of itself when it is first shown; null for none. */
export function firstWriting({ kind, no_head, parameters, default_new_tokens: most }: ModelSummary) {
  if (kind === "encoder" || no_head || parameters > QUICK || most < 1) return null;
  return most > LONG ? Math.floor(most * SHARE_WRITTEN) : most;
}

/** What a model samples with where nobody has chosen otherwise. */
export const usualSampling = ({ default_temperature }: ModelSummary): Sampling => ({
  ...state.DEFAULT_SAMPLING,
  temperature: default_temperature ?? state.DEFAULT_SAMPLING.temperature,
});

/** What a model is to read: the text, or without a tokenizer the ids in it; null where it holds anything else. */
export function readable(model: ModelSummary, text: string): { text: string } | { tokens: number[] } | null {
  if (model.has_tokenizer) return { text };
  const tokens = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
  return tokens.every((id) => Number.isInteger(id) && id >= 0) ? { tokens } : null;
}

/** What is said of a text that is not `readable`. */
export function unreadable(model: ModelSummary): state.Problem {
  return {
    message: `This model reads token ids: ${model.no_tokenizer}.`,
    hint: "Type whole numbers with spaces between them.",
  };
}

/** Which tokens of a text, or of two that are read together, stand hidden behind a mask in `tokens`, by position. */
export async function hiddenTokens(
  { id, mask_id }: ModelSummary,
  text: string,
  pair: string | null,
  tokens: readonly number[],
): Promise<ReadonlyMap<number, Token>> {
  try {
    const texts = await Promise.all([text, ...(pair ? [pair] : [])].map((one) => tokenize(id, one)));
    return behindMasks(texts, tokens, mask_id);
  } catch (error) {
    // The text of an old address may be beyond what the model reads; then nothing is known of what is hidden.
    if (error instanceof ApiError) return new Map();
    throw error;
  }
}

/** The tokens of the texts that a mask stands for in `tokens`. How a tokenizer joins two texts differs, but its marks
 *  stand between them: the first is counted from the beginning, the second from the end. Nothing where any other token
 *  of a text is not the one read. */
export function behindMasks(
  [first = [], second]: readonly (readonly Token[])[],
  tokens: readonly number[],
  mask: number | null,
): ReadonlyMap<number, Token> {
  if (!second && first.length !== tokens.length) return new Map();
  const places = [
    ...first.map((token, at) => [at, token] as const),
    ...(second ?? []).map((token, at) => [tokens.length - second!.length + at, token] as const),
  ].filter(([, { start, end }]) => end > start);
  const masked = places.filter(([at, token]) => tokens[at] === mask && token.id !== mask);
  const same = places.filter(([at, token]) => tokens[at] === token.id);
  return new Map(masked.length + same.length === places.length ? masked : []);
}
