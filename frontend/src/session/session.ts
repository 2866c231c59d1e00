/** The page's conversation with the server: starting runs, writing, saying what the map wants to see, and going
 *  on after the server went away. Effects live here and in main.ts; everything they learn goes into the store. */

import { withCharacters } from "../characters";
import { asSentence } from "../format";
import { layout } from "../layout/layout";
import { ApiError, changeAgain, getScales, onForgotten, tokenize } from "../net/rest";
import { type Lost, Stream } from "../net/stream";
import { getThumbnails, type Thumbnail } from "../net/thumbnails";
import type { Frame, ModelSummary, RunAnswer, Sampling, ServerMessage, Token } from "../net/types";
import type { CellsAddress, MapView, TileAddress } from "../scene/types";
import { FIRST_ATTENTION } from "../state/attention";
import { comparison, comparisonProblem, textOf } from "../state/difference";
import { type LaidOut, sameLayout } from "../state/laid-out";
import {
  advance,
  askedRun,
  concerns,
  heldRun,
  type Run,
  readAgain,
  roomFor,
  writingNext,
  written,
} from "../state/run";
import * as state from "../state/store";
import { graphAndScales } from "./prefetch";

interface Plan {
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

/** A run as it is shown, with what the page knows beside it. */
interface Shown {
  readonly run: Run;
  readonly plan: Plan;
  readonly text: string;
  readonly pair: string | null;
  readonly hidden: ReadonlyMap<number, Token>;
  readonly position: number | null;
  /** Whether the writer went on token by token. */
  readonly paced: boolean;
}

/** Milliseconds between two times that a forgotten run is made again. */
const AGAIN_AFTER = 5000;
/** After this long without anything, the page says what it waits for. */
const PATIENCE = 4000;
/** The map says what it lacks once the eye rests: here only what comes at the same moment is gathered. */
const WANT_DELAY = 20;
/** So long thumbnails are waited for before their numbers are asked for as tiles. */
const THUMBNAIL_PATIENCE = 1000;
const URGENT_TILES = 8;
const FEW_TILES = 32;
/** Tiles in one wish: the rest is asked for when these have come. */
const MOST_TILES = 1500;
/** Refusals of a wish for differences. */
const OTHER_IS_GONE = ["unknown_run", "forgotten_run", "another_model"];

export class Session {
  readonly #stream: Stream;
  #plan: Plan | null = null;
  #epoch = 0;
  #requests = 0;
  #wantTimer = 0;
  /** Tokens to write once the prompt has been read, or to write on; null leaves the run waiting. */
  #afterPrompt: number | "on" | null = null;
  /** Whether the writer goes on token by token at the speed that was chosen, and when the next one is due. */
  #paced = false;
  #nextToken = 0;
  /** What was shown before the run that is asked for: it stays if the server refuses. */
  #before: Shown | null = null;
  /** When a forgotten run was last made again. */
  #madeAgain = Number.NEGATIVE_INFINITY;
  /** The run, names and tiles of the last wish, less the tiles that have come. */
  #asked = new Set<string>();
  /** Activations are asked for anew from their first row. */
  #anew = false;
  /** How many of these are no tiles, but the run, names and cells to be printed. */
  #names = 0;
  /** What the layout shown was made for. */
  #drawn: LaidOut | null = null;
  /** Thumbnails of the model's weights, once they are here. */
  #thumbnails: readonly Thumbnail[] = [];
  /** While they are expected: what they hold need not come twice. */
  #expecting: Promise<unknown> | null = null;
  #patience = 0;
  #lastTokenAt = 0;
  #paces: number[] = [];
  /** Whether the writer was at work when the connection was lost. */
  #wasWriting = false;

  constructor(
    address: string,
    private readonly map: MapView | null,
    /** Width over height of the map's window. */
    private readonly aspect: () => number,
  ) {
    this.#stream = new Stream(address, {
      opened: () => this.#opened(),
      lost: (_, why) => this.#lost(why),
      message: (message) => this.#hear(message),
      frame: (frame) => this.#take(frame),
      silent: (silent) => {
        state.serverSilent.value = silent;
      },
      garbled: (problem) => {
        state.pageProblem.value = {
          message: `The stream sent something unreadable: ${problem}`,
          hint: "Reload the page.",
        };
      },
    });
  }

  connect(): void {
    onForgotten((run) => this.#makeAgain(run));
    this.#stream.connect();
  }

  retry(): void {
    state.waitingFor.value = null;
    if (this.#stream.open) this.#restart();
    else this.#stream.retry();
  }

  /** Shows a model: its graph first, then a run on the given input or on its default text, which `writes` has it go on
   *  writing. The graph is refetched only for another model. */
  async open(
    id: string,
    input: {
      text?: string;
      pair?: string | undefined;
      tokens?: readonly number[];
      kinds?: readonly number[] | undefined;
      prompt?: number;
      /** What of the sampling is not the model's usual one. */
      sampling?: Partial<Sampling> | undefined;
      writes?: boolean;
      held?: RunAnswer;
      /** The attention that is chosen is of this model: an address names it. */
      keepsAttention?: boolean;
    } = {},
  ): Promise<void> {
    const model = state.models.value.find((candidate) => candidate.id === id);
    if (!model) {
      const known = state.models.value.map((candidate) => candidate.id).join(", ");
      state.pageProblem.value = {
        message: `There is no model “${id}” here.`,
        hint: `Choose one of: ${known}.`,
      };
      return;
    }
    this.#leave();
    state.pageProblem.value = null;
    const { tokens } = input;
    const spelt = tokens && !model.has_tokenizer ? tokens.slice(0, input.prompt).join(" ") : undefined;
    const text = input.text ?? spelt ?? model.default_text;
    // At once: another model is never shown, counted or written into the address with the text of the last one.
    state.draft.value = text;
    state.readText.value = text;
    const pair = model.kind === "encoder" ? input.pair : undefined;
    state.pairDraft.value = pair ?? null;
    state.readPair.value = pair ?? null;
    if (state.modelId.value !== id || !state.graph.value) {
      state.sampling.value = { ...usualSampling(model), ...input.sampling };
      // What was chosen of another model need not be in this one.
      if (!input.keepsAttention) {
        state.attention.value = FIRST_ATTENTION;
        state.attentionUnread.value = null;
      }
      state.modelId.value = id;
      state.graph.value = null;
      state.run.value = null;
      state.selected.value = null;
      state.hovered.value = null;
      this.#fetchThumbnails(model);
      try {
        const [graph, scales] = await graphAndScales(id);
        if (state.modelId.value !== id) return;
        state.graph.value = graph;
        state.weightScales.value = scales;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        state.pageProblem.value = {
          message: `The graph of “${id}” did not come: ${error.message}`,
          hint: error.hint,
        };
        return;
      }
    } else if (input.sampling) state.sampling.value = { ...usualSampling(model), ...input.sampling };
    if (input.held) {
      await this.#showHeld(model, input.held);
      return;
    }
    // An encoder-decoder's tokens are what it wrote on a text; where no text is named they are what it is to read.
    if (tokens && (model.kind !== "encoder_decoder" || input.text !== undefined))
      await this.#readTokens(model, text, tokens, input.prompt ?? tokens.length, input.kinds);
    else if (tokens) this.#begin({ model: id, tokens, maxNewTokens: model.default_new_tokens, write: false });
    else if (!model.has_tokenizer) this.read(text);
    else {
      this.#begin({
        model: id,
        text,
        ...(pair ? { pair } : {}),
        maxNewTokens: model.default_new_tokens,
        write: false,
      });
      if (input.writes) this.#afterPrompt = firstWriting(model);
      state.lightsLast.value = input.writes === true;
    }
  }

  /** Reads what stands in the prompt bar: text, or token ids for a model without a tokenizer. What it refuses changes
   *  nothing else; true where the server is asked. */
  read(text: string): boolean {
    const model = state.model.value;
    if (!model) return false;
    state.promptProblem.value = null;
    if (text === "") {
      state.promptProblem.value = {
        message: "There is nothing to read.",
        hint: "Type a few words, then press Enter.",
      };
      return false;
    }
    const given = readable(model, text);
    if (!given) {
      state.promptProblem.value = unreadable(model);
      return false;
    }
    const pair = (state.readsPairs.value && state.pairDraft.value) || null;
    this.#begin({
      model: model.id,
      ...given,
      ...(pair ? { pair } : {}),
      maxNewTokens: model.default_new_tokens,
      write: false,
    });
    state.readText.value = text;
    state.readPair.value = pair;
    return true;
  }

  /** Writes until paused. What was typed and not yet read is read first. A run that is done is continued by a new one
   *  that reads everything so far; where nothing can follow, the text is read again and written on anew. */
  write(): void {
    const [run, model] = [state.run.value, state.model.value];
    const anew = run && model && !state.unread.value && writingNext(run, model.positions) === "begins anew";
    if (!anew) this.#goOn(null);
    else if (this.read(state.readText.value)) this.#writeAfterPrompt(null);
  }

  step(): void {
    this.#goOn(1);
  }

  #goOn(count: number | null): void {
    if (state.unread.value) {
      if (this.read(state.draft.value)) this.#writeAfterPrompt(count);
      return;
    }
    this.#step(count);
    state.writesByHand.value = true;
  }

  #writeAfterPrompt(count: number | null): void {
    this.#afterPrompt = count ?? "on";
    state.writesByHand.value = true;
  }

  /** Hides the token at a position behind the model's mask, or shows it again, and reads the text anew. */
  toggleMask(at: number): void {
    const [model, run] = [state.model.value, state.run.value];
    const token = run?.tokens[at];
    if (!model || model.mask_id === null || !run || !token) return;
    const hidden = new Map(state.hidden.value);
    const original = hidden.get(at);
    if (original) hidden.delete(at);
    else hidden.set(at, token);
    const id = original?.id ?? model.mask_id;
    const tokens = run.tokens.map((one, i) => (i === at ? id : one.id));
    this.#begin({ model: model.id, ...readAgain(run), tokens, maxNewTokens: 0, write: false });
    state.hidden.value = hidden;
    state.position.value = original ? null : at;
  }

  pause(): void {
    const run = state.run.value;
    if (!run?.id) return;
    const waits = this.#paced && this.#nextToken !== 0;
    this.#keepPaceNoMore();
    if (waits) state.run.value = { ...run, phase: "paused" };
    else this.#stream.send({ type: "pause", run: run.id });
  }

  /** Another speed was chosen: a writer at work takes it on with its next token. */
  paceChanged(): void {
    const run = state.run.value;
    if (!run?.id || run.phase !== "writing") return;
    if (!this.#paced) {
      this.#paced = true;
      this.#stream.send({ type: "pause", run: run.id });
    } else if (this.#nextToken !== 0) this.#awaitNextToken();
  }

  stop(): void {
    const run = state.run.value;
    this.#keepPaceNoMore();
    if (run?.id) this.#stream.send({ type: "cancel", run: run.id });
  }

  /** Other numbers of the same run are to be shown: all of its activations are asked for anew. */
  refresh(): void {
    if (!state.run.value?.id) return;
    this.map?.clearActivations();
    state.arrived.value = new Set();
    this.#asked.clear();
    this.#names = 0;
    this.#anew = true;
    this.#want();
  }

  /** The camera or the layout changed: tell the server what is in view, once it rests. */
  wantsChanged(): void {
    window.clearTimeout(this.#wantTimer);
    this.#wantTimer = window.setTimeout(() => this.#want(), WANT_DELAY);
  }

  #step(count: number | null): void {
    const run = state.run.value;
    if (!run) return;
    if (run.phase === "done") {
      this.#continue(run, count);
      return;
    }
    if (!run.id) return;
    this.#paced = count === null && isPaced();
    this.#lastTokenAt = performance.now();
    this.#askForTokens(run, this.#paced ? 1 : count);
  }

  #askForTokens(run: Run, count: number | null): void {
    if (!run.id) return;
    state.run.value = { ...run, phase: "writing" };
    this.#stream.send({ type: "step", run: run.id, count, sampling: state.sampling.value });
    this.#watch("the next token");
  }

  /** The server has written what it was asked for: at a chosen speed, the next token is asked for when it is due. */
  #awaitNextToken(): void {
    window.clearTimeout(this.#nextToken);
    const due = this.#lastTokenAt + 1000 / (state.writingSpeed.value ?? Number.POSITIVE_INFINITY);
    this.#nextToken = window.setTimeout(
      () => {
        this.#nextToken = 0;
        const run = state.run.value;
        this.#paced = isPaced();
        if (run) this.#askForTokens(run, this.#paced ? 1 : null);
      },
      Math.max(0, due - performance.now()),
    );
  }

  #keepPaceNoMore(): void {
    this.#paced = false;
    window.clearTimeout(this.#nextToken);
    this.#nextToken = 0;
  }

  #continue(run: Run, count: number | null): void {
    const model = state.model.value;
    if (!model) return;
    const room = Math.min(model.default_new_tokens, roomFor(run, model.positions));
    if (room <= 0) {
      state.promptProblem.value = {
        message: `The context of ${model.positions} tokens is full.`,
        hint: "Start again with a shorter text.",
      };
      return;
    }
    this.#begin(
      {
        model: run.model,
        ...readAgain(run),
        maxNewTokens: room,
        write: count === null,
      },
      run,
    );
    if (count !== null) this.#afterPrompt = count;
  }

  /** Reads tokens as they are: what an address holds of a text that was written on, or partly hidden. */
  async #readTokens(
    model: ModelSummary,
    text: string,
    tokens: readonly number[],
    prompt: number,
    kinds?: readonly number[],
  ): Promise<void> {
    const room = Math.max(0, model.default_new_tokens - (tokens.length - prompt));
    const paired = model.kind === "encoder_decoder";
    const read = paired
      ? { ...(readable(model, text) ?? { text }), target: tokens }
      : { tokens, ...(kinds ? { kinds } : {}) };
    const hidden = model.mask_id === null ? new Map() : await hiddenTokens(model, text, tokens);
    if (state.modelId.value !== model.id) return;
    this.#begin(
      { model: model.id, ...read, maxNewTokens: room, write: false },
      { tokens: [], promptLength: prompt, choices: new Map() },
    );
    state.hidden.value = hidden;
  }

  #begin(plan: Plan, known?: Pick<Run, "tokens" | "promptLength" | "choices">): void {
    this.#before = this.#toKeep();
    this.#afterPrompt = null;
    this.#keepPaceNoMore();
    if (plan.write && isPaced()) {
      this.#afterPrompt = "on";
      this.#plan = { ...plan, write: false };
    } else this.#plan = plan;
    this.#requests += 1;
    this.#showNothingYet();
    state.run.value = askedRun(`request-${this.#requests}`, plan.model, plan.maxNewTokens, known);
    this.#ask();
  }

  #showNothingYet(): void {
    state.promptProblem.value = null;
    state.lightsLast.value = false;
    state.writesByHand.value = false;
    state.position.value = null;
    state.hidden.value = new Map();
    state.arrived.value = new Set();
    state.reached.value = -1;
    state.framesTaken.value = 0;
  }

  /** The run that is shown, if a refusal of the next is to leave it as it is. Asking twice shows what was there first. */
  #toKeep(): Shown | null {
    const run = state.run.value;
    if (!run || run.id === null || !this.#plan) return run ? this.#before : null;
    return {
      run,
      plan: this.#plan,
      text: state.readText.value,
      pair: state.readPair.value,
      hidden: state.hidden.value,
      position: state.position.value,
      paced: this.#paced,
    };
  }

  /** The run asked for is refused: what was shown before is shown again, as far as it has come meanwhile. */
  #showAgain({ run, plan, text, pair, hidden, position, paced }: Shown): void {
    this.#before = null;
    this.#afterPrompt = null;
    this.#plan = plan;
    state.run.value = run;
    state.readText.value = text;
    state.readPair.value = pair;
    state.hidden.value = hidden;
    state.position.value = position;
    this.#nameTokens(run);
    this.refresh();
    if (paced && run.phase === "paused") this.#step(null);
  }

  #ask(): void {
    const run = state.run.value;
    const plan = this.#plan;
    if (!run || !plan) return;
    this.#watch("the server to begin");
    this.#stream.send({
      type: "start",
      request: run.request,
      model: plan.model,
      ...(plan.tokens ? { tokens: plan.tokens } : { text: plan.text ?? "" }),
      ...(plan.pair ? { text_pair: plan.pair } : {}),
      ...(plan.kinds ? { token_types: plan.kinds } : {}),
      ...(plan.target ? { target_tokens: plan.target } : {}),
      max_new_tokens: plan.maxNewTokens,
      sampling: state.sampling.value,
      write: plan.write,
    });
  }

  /** Shows a run that the server holds already: nothing is computed, and it may be looked at in many windows. */
  async #showHeld(model: ModelSummary, answer: RunAnswer): Promise<void> {
    const scales = await getScales(answer.id, {});
    if (state.modelId.value !== model.id) return;
    this.#leave();
    const read = answer.source.length > 0 ? answer.source : answer.tokens.slice(0, answer.prompt_length);
    const words = model.has_tokenizer ? textOf(read) : read.map(({ id }) => id).join(" ");
    state.draft.value = words;
    state.readText.value = words;
    state.pairDraft.value = null;
    state.readPair.value = null;
    this.#requests += 1;
    this.#showNothingYet();
    const run = heldRun(`request-${this.#requests}`, answer, scales);
    this.#plan = { model: model.id, ...readAgain(run), maxNewTokens: 0, write: false };
    state.run.value = run;
    this.#accepted(run);
    this.#watch(null);
  }

  /** The server holds no more of a run than its id: what it read is read again, without a word, as after a connection
   *  that was lost. False where that has just been tried: the server then has no room for it. */
  #makeAgain(id: string): boolean {
    const run = state.run.value;
    if (!run || run.id !== id || performance.now() - this.#madeAgain < AGAIN_AFTER) return false;
    this.#madeAgain = performance.now();
    if (run.interventions.length > 0) void this.#changeAgain(run);
    else this.#restart(true);
    return true;
  }

  async #changeAgain(run: Run): Promise<void> {
    try {
      const answer = await changeAgain(run.model, readAgain(run), run.interventions);
      const model = state.model.value;
      if (state.run.value?.id === run.id && model) await this.#showHeld(model, answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      state.promptProblem.value = { message: error.message, hint: error.hint };
    }
  }

  /** Asks for what the run now shown has read and written so far, on a new connection or after a failure. */
  #restart(forgotten = false): void {
    const run = state.run.value;
    if (!run || !this.#plan) return;
    if (run.held && !forgotten) {
      this.#accepted(run);
      this.#watch(null);
      return;
    }
    const writing = this.#wasWriting || run.phase === "writing";
    this.#wasWriting = false;
    const left = run.maxNewTokens - written(run);
    const hidden = state.hidden.value;
    if (run.tokens.length === 0) this.#begin(this.#plan);
    else
      this.#begin(
        {
          model: run.model,
          ...readAgain(run),
          maxNewTokens: Math.max(0, left),
          write: writing && left > 0,
        },
        run,
      );
    state.hidden.value = hidden;
  }

  /** Another model is opened: nothing of what is shown is kept. */
  #leave(): void {
    this.#cancel(state.run.value);
    this.#cancel(this.#before?.run ?? null);
    this.#before = null;
    this.#afterPrompt = null;
    this.#keepPaceNoMore();
  }

  #cancel(run: Run | null): void {
    if (run?.id && run.phase !== "done") this.#stream.send({ type: "cancel", run: run.id });
  }

  #opened(): void {
    this.#asked.clear();
    this.#names = 0;
    state.connection.value = "open";
    this.#restart();
  }

  #lost(why: Lost): void {
    state.lostTo.value = why;
    const run = state.run.value;
    if (state.connection.value === "open") this.#wasWriting = run?.phase === "writing";
    this.#keepPaceNoMore();
    // Runs of the connection that is lost end with it.
    this.#before = null;
    state.connection.value = "lost";
    window.clearTimeout(this.#patience);
    state.waitingFor.value = null;
  }

  #hear(message: ServerMessage): void {
    const before = state.run.value;
    if (message.type === "error" && this.#isMadeAgain(message)) return;
    if (message.type === "error") this.#refused(message, before);
    const kept = this.#before;
    if (kept && message.type !== "error" && concerns(kept.run, message))
      this.#before = { ...kept, run: advance(kept.run, message) };
    // What was shown before a refusal is there again.
    if (!before || state.run.value !== before || !concerns(before, message)) return;
    const advanced = advance(before, message);
    // Between two tokens at a chosen speed the run waits for the page; the writer is at work.
    const after: Run =
      message.type === "paused" && this.#paced ? { ...advanced, phase: "writing" } : advanced;
    state.run.value = after;
    switch (message.type) {
      case "accepted":
        this.#cancel(this.#before?.run ?? null);
        this.#before = null;
        this.#accepted(after);
        break;
      case "token":
        this.#nameTokens(after);
        this.#measurePace();
        this.#watch(null);
        break;
      case "paused":
        this.#watch(null);
        this.map?.refreshActivations();
        if (this.#afterPrompt !== null) {
          const count = this.#afterPrompt;
          this.#afterPrompt = null;
          this.#step(count === "on" ? null : count);
        } else if (this.#paced) this.#awaitNextToken();
        break;
      case "queued":
        this.#watch(null);
        break;
      case "done":
        this.#keepPaceNoMore();
        this.#watch(null);
        this.map?.refreshActivations();
        break;
      case "prompt":
      case "error":
        this.#watch(null);
    }
  }

  #accepted(run: Run): void {
    if (state.graph.value && this.map) {
      this.#layOut(run);
      this.map.clearActivations();
      this.#nameTokens(run);
      state.laidOut.value = this.#drawn;
    }
    this.#want();
    this.#watch("the first layer");
  }

  /** The words along the axes of the map. */
  #nameTokens({ tokens, source }: Run): void {
    this.map?.setTokens(named(tokens), named(source));
  }

  /** Heads are to stand another way: the same numbers in other places. */
  rearrange(): void {
    const run = state.run.value;
    if (!run?.id || !this.#drawn) return;
    this.#layOut(run);
    state.laidOut.value = this.#drawn;
    this.wantsChanged();
  }

  #layOut(run: Run): void {
    const graph = state.graph.value;
    const heads = state.heads.value;
    const capacity = { target: run.capacity, source: run.source.length };
    const drawn: LaidOut = { model: run.model, capacity, heads };
    if (!graph || !this.map || sameLayout(drawn, this.#drawn)) return;
    this.map.setLayout(layout(graph, { capacity, aspect: this.aspect(), heads }), graph);
    this.#drawn = drawn;
    this.#showThumbnails();
  }

  /** The first picture of a model too large to be held whole: all its plates in one answer, beside its graph. */
  #fetchThumbnails(model: ModelSummary): void {
    this.#thumbnails = [];
    this.#expecting = null;
    if (!this.map || this.map.holdsWhole(model.parameters)) return;
    const coming = getThumbnails(model.id).catch((error: unknown) => {
      // Without them the same numbers come as tiles.
      if (error instanceof ApiError || error instanceof RangeError) return [];
      throw error;
    });
    this.#expecting = coming;
    const expectNoMore = () => {
      if (this.#expecting !== coming) return;
      this.#expecting = null;
      this.wantsChanged();
    };
    void coming.then((thumbnails) => {
      if (state.modelId.value !== model.id) return;
      this.#thumbnails = thumbnails;
      if (this.#drawn?.model === model.id) this.#showThumbnails();
      expectNoMore();
    });
    // Of a large model nobody has looked at before they have to be made, which takes a while.
    window.setTimeout(expectNoMore, THUMBNAIL_PATIENCE);
  }

  #showThumbnails(): void {
    for (const thumbnail of this.#thumbnails) this.map?.applyTile(thumbnail, thumbnail.values);
  }

  /** A wish for the run on show that the server has forgotten; of a difference, the other run may be the one. */
  #isMadeAgain({ error, run }: Extract<ServerMessage, { type: "error" }>): boolean {
    return error.type === "forgotten_run" && !comparison.value && run !== null && this.#makeAgain(run);
  }

  #refused(message: Extract<ServerMessage, { type: "error" }>, run: Run | null): void {
    const problem = { message: asSentence(message.error.message), hint: message.error.hint };
    if (comparison.value && OTHER_IS_GONE.includes(message.error.type)) {
      comparison.value = null;
      comparisonProblem.value = problem;
      return;
    }
    if (run && concerns(run, message)) {
      if (run.id === null && this.#before) this.#showAgain(this.#before);
      state.promptProblem.value = problem;
    } else if (message.request === null && message.run === null) state.pageProblem.value = problem;
  }

  #take(frame: Frame): void {
    const { header } = frame;
    const run = state.run.value;
    if (header.type === "rows" && header.run !== run?.id) return;
    // Numbers of the run alone and differences never mix.
    if (header.run !== null && header.minus !== comparison.value?.run) return;
    if (header.type !== "rows" && !this.#shown(header)) return;
    if (header.type === "cells") this.map?.applyCells(header, singles(frame));
    else if (header.type === "tile") {
      // One wish does not name everything: the rest is asked for when little of it is left.
      if (this.#asked.delete(tileKey(header)) && this.#tilesLeft() < FEW_TILES) this.wantsChanged();
      this.map?.applyTile(header, halfFloats(frame));
    } else this.map?.applyRows(header, halfFloats(frame));
    this.#watch(null);
    state.framesTaken.value += 1;
    if (header.type === "rows") state.rowsTaken(header.name).value += 1;
    if (header.run !== null) state.reach(header.name);
    if (header.type === "rows" && !state.arrived.value.has(header.name))
      state.arrived.value = new Set(state.arrived.value).add(header.name);
  }

  /** Whether a tile or cells are of the model and, if of an activation, of the run shown. */
  #shown(header: Frame["header"]): boolean {
    return header.run === null ? header.model === state.modelId.value : header.run === state.run.value?.id;
  }

  #want(): void {
    window.clearTimeout(this.#wantTimer);
    const run = state.run.value;
    if (!run?.id) return;
    const activations = this.map?.wantedActivations() ?? [];
    const tiles = this.#expecting ? [] : (this.map?.wantedTiles().slice(0, MOST_TILES) ?? []);
    const cells = this.map?.wantedCells() ?? [];
    const minus = comparison.value?.run ?? null;
    const names = [`${run.id} less ${minus}`, ...activations, ...cells.map(cellsKey)];
    if (!this.#worthAsking(names, tiles)) return;
    this.#asked = new Set([...names, ...tiles.map(tileKey)]);
    this.#names = names.length;
    this.#epoch += 1;
    this.#stream.send({
      type: "want",
      epoch: this.#epoch,
      run: run.id,
      activations,
      resend: this.#anew ? activations : [],
      minus,
      model: run.model,
      tiles: tiles.map(({ activation, ...tile }) => (activation ? { ...tile, run: run.id } : tile)),
      cells: cells.map(({ activation, ...some }) => (activation ? { ...some, run: run.id } : some)),
    });
    this.#anew = false;
  }

  /** Tiles of the last wish that have not come. */
  #tilesLeft(): number {
    return this.#asked.size - this.#names;
  }

  /** Asking again interrupts what is on its way: only for a new name, for a tile among the most wanted, or when
   *  little of the last wish is left. */
  #worthAsking(names: readonly string[], tiles: readonly TileAddress[]): boolean {
    const unknown = (tile: TileAddress) => !this.#asked.has(tileKey(tile));
    if (names.some((name) => !this.#asked.has(name)) || tiles.slice(0, URGENT_TILES).some(unknown))
      return true;
    return this.#tilesLeft() < FEW_TILES && tiles.some(unknown);
  }

  #measurePace(): void {
    const now = performance.now();
    this.#paces = [...this.#paces, now - this.#lastTokenAt].slice(-8);
    this.#lastTokenAt = now;
    const mean = this.#paces.reduce((sum, pace) => sum + pace, 0) / this.#paces.length;
    state.tokensPerSecond.value = mean > 0 ? 1000 / mean : null;
  }

  /** Says what is waited for, should it stay out for long; null when it has come. */
  #watch(what: string | null): void {
    window.clearTimeout(this.#patience);
    if (state.waitingFor.value !== null) state.waitingFor.value = null;
    if (what === null) return;
    this.#patience = window.setTimeout(() => {
      state.waitingFor.value = what;
    }, PATIENCE);
  }
}

/** Numbers of the largest model that writes of itself when it is first shown: a larger one takes its time. */
const QUICK = 2e7;
/** Of a long text it writes three quarters: that plates are full, and *Write* still goes on in the same room. */
const LONG = 16;
const SHARE_WRITTEN = 0.75;

/** How many tokens a model writes of itself when it is first shown; null for none. */
function firstWriting({ kind, no_head, parameters, default_new_tokens: most }: ModelSummary): number | null {
  if (kind === "encoder" || no_head || parameters > QUICK || most < 1) return null;
  return most > LONG ? Math.floor(most * SHARE_WRITTEN) : most;
}

const usualSampling = ({ default_temperature }: ModelSummary): Sampling => ({
  ...state.DEFAULT_SAMPLING,
  temperature: default_temperature ?? state.DEFAULT_SAMPLING.temperature,
});

function named(tokens: readonly Token[]): readonly Token[] {
  const called = withCharacters(tokens.map(({ text }) => text));
  return tokens.map((token, at) => ({ ...token, text: called[at] ?? token.text }));
}

/** A search looks at whole texts: it is not told token by token. */
const isPaced = (): boolean => state.writingSpeed.value !== null && state.sampling.value.beams === 1;

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

/** Which tokens of a text stand hidden behind a mask in `tokens`, by position. */
async function hiddenTokens(
  model: ModelSummary,
  text: string,
  tokens: readonly number[],
): Promise<ReadonlyMap<number, Token>> {
  try {
    const whole = await tokenize(model.id, text);
    const masked = whole
      .map((token, at) => [at, token] as const)
      .filter(([at]) => tokens[at] === model.mask_id);
    return new Map(whole.length === tokens.length ? masked : []);
  } catch (error) {
    // The text of an old address may be beyond what the model reads; then nothing is known of what is hidden.
    if (error instanceof ApiError) return new Map();
    throw error;
  }
}

function tileKey({ name, index, level, row, col }: TileAddress): string {
  return `${name} ${index} ${level} ${row} ${col}`;
}

function cellsKey({ name, index, row, col }: CellsAddress): string {
  return `cells ${name} ${index} ${row} ${col}`;
}

/** What is printed comes in full single precision. */
function singles(frame: Frame): Float32Array {
  if (frame.values instanceof Float32Array) return frame.values;
  throw new RangeError(`${frame.header.name} came as ${frame.header.dtype}, not as float32`);
}

/** The stream sends half floats; anything else is a mistake that has to show. */
function halfFloats(frame: Frame): Uint16Array {
  if (frame.values instanceof Uint16Array) return frame.values;
  throw new RangeError(`${frame.header.name} came as ${frame.header.dtype}, not as half floats`);
}
