/** The opener: shows a model, its graph first, and then the run that an address or the model's default text asks for. */

import { ApiError } from "../net/rest";
import type { ModelSummary, RunAnswer, Sampling, Token } from "../net/types";
import { FIRST_ATTENTION } from "../state/attention";
import * as state from "../state/store";
import type { MadeSource } from "./made-source";
import type { Picture } from "./picture";
import { firstWriting, hiddenTokens, readable, usualSampling } from "./plan";
import { graphAndScales } from "./prefetch";
import type { RunControl } from "./run-control";

/** What to open a model with; all of it may be left out. */
export interface Input {
  readonly text?: string;
  readonly pair?: string | undefined;
  readonly tokens?: readonly number[];
  readonly kinds?: readonly number[] | undefined;
  readonly prompt?: number;
  /** What of the sampling is not the model's usual one. */
  readonly sampling?: Partial<Sampling> | undefined;
  /** Whether the default text is gone on with. */
  readonly writes?: boolean;
  readonly held?: RunAnswer;
  /** The attention that is chosen is of this model: an address names it. */
  readonly keepsAttention?: boolean;
}

export class Opener {
  constructor(
    private readonly runs: RunControl,
    private readonly picture: Picture,
    private readonly made: MadeSource,
  ) {}

  /** Shows a model: its graph first, then a run on the given input or on its default text. The graph is fetched again
   *  only for another model. */
  async open(id: string, input: Input): Promise<void> {
    const model = state.models.value.find((candidate) => candidate.id === id);
    if (!model) {
      state.pageProblem.value = noSuchModel(id);
      return;
    }
    this.runs.leave();
    this.made.leave();
    state.pageProblem.value = null;
    const text = input.text ?? spelt(model, input) ?? model.default_text;
    showTexts(text, pairOf(model, input));
    if (state.modelId.value !== id || !state.graph.value) {
      if (!(await this.#change(model, input))) return;
    } else if (input.sampling) state.sampling.value = { ...usualSampling(model), ...input.sampling };
    if (input.held) await this.runs.showHeld(model, input.held);
    else await this.#begin(model, text, input);
  }

  /** Goes over to another model. False where its graph does not come, or is not wanted any more when it has. */
  async #change(model: ModelSummary, { sampling, keepsAttention }: Input): Promise<boolean> {
    const { id } = model;
    state.sampling.value = { ...usualSampling(model), ...sampling };
    // What was chosen of another model need not be in this one.
    if (!keepsAttention) {
      state.attention.value = FIRST_ATTENTION;
      state.attentionUnread.value = null;
    }
    state.modelId.value = id;
    state.graph.value = null;
    state.run.value = null;
    state.selected.value = null;
    state.hovered.value = null;
    this.picture.fetchThumbnails(model);
    try {
      const [graph, scales] = await graphAndScales(id);
      if (state.modelId.value !== id) return false;
      state.graph.value = graph;
      state.weightScales.value = scales;
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const message = `The graph of “${id}” did not come: ${error.message}`;
      state.pageProblem.value = { message, hint: error.hint };
      return false;
    }
  }

  async #begin(model: ModelSummary, text: string, input: Input): Promise<void> {
    const { tokens } = input;
    const [id, maxNewTokens] = [model.id, model.default_new_tokens];
    // An encoder-decoder's tokens are what it wrote on a text; where no text is named they are what it is to read.
    if (tokens && (model.kind !== "encoder_decoder" || input.text !== undefined))
      await this.#readTokens(model, text, tokens, input);
    else if (tokens) this.runs.begin({ model: id, tokens, maxNewTokens, write: false });
    else if (!model.has_tokenizer) this.runs.read(text);
    else {
      const pair = pairOf(model, input);
      this.runs.begin({ model: id, text, ...(pair ? { pair } : {}), maxNewTokens, write: false });
      if (input.writes) this.runs.writer.writeAfterPrompt(firstWriting(model));
      state.lightsLast.value = input.writes === true;
    }
  }

  /** Reads tokens as they are: what an address holds of a text that was written on, or partly hidden. */
  async #readTokens(
    model: ModelSummary,
    text: string,
    tokens: readonly number[],
    input: Input,
  ): Promise<void> {
    const { prompt = tokens.length, kinds } = input;
    const maxNewTokens = Math.max(0, model.default_new_tokens - (tokens.length - prompt));
    const paired = model.kind === "encoder_decoder";
    const read = paired
      ? { ...(readable(model, text) ?? { text }), target: tokens }
      : { tokens, ...(kinds ? { kinds } : {}) };
    const hidden =
      model.mask_id === null
        ? new Map<number, Token>()
        : await hiddenTokens(model, text, pairOf(model, input), tokens);
    if (state.modelId.value !== model.id) return;
    this.runs.begin(
      { model: model.id, ...read, maxNewTokens, write: false },
      { tokens: [], promptLength: prompt, choices: new Map() },
    );
    state.hidden.value = hidden;
  }
}

/** The second text, of a model that reads two together. */
const pairOf = ({ kind }: ModelSummary, { pair }: Input): string | null =>
  kind === "encoder" ? (pair ?? null) : null;

/** Token ids as the text of a model without a tokenizer. */
const spelt = ({ has_tokenizer }: ModelSummary, { tokens, prompt }: Input): string | undefined =>
  has_tokenizer ? undefined : tokens?.slice(0, prompt).join(" ");

/** Shows what is about to be read, at once: another model is never shown, counted or written into the address with the
 *  text of the last one. */
function showTexts(text: string, pair: string | null): void {
  state.draft.value = text;
  state.readText.value = text;
  state.pairDraft.value = pair;
  state.readPair.value = pair;
}

function noSuchModel(id: string): state.Problem {
  const known = state.models.value.map((candidate) => candidate.id).join(", ");
  return { message: `There is no model “${id}” here.`, hint: `Choose one of: ${known}.` };
}
