/** The run controller: starts the run that is shown, follows what the server says of it, shows the one before again
 *  where the server refuses, and makes it again where the server or the connection was lost. */

import { asSentence } from "../format";
import type { ErrorMessage } from "../net/contract.gen";
import { ApiError, changeAgain, getScales } from "../net/rest";
import type { ClientMessage, ModelSummary, RunAnswer, ServerMessage, Token } from "../net/types";
import type { NumbersSink } from "../scene/ports";
import { comparison, comparisonProblem, textOf } from "../state/difference";
import { advance, askedRun, concerns, heldRun, type Run, readAgain, written } from "../state/run";
import * as state from "../state/store";
import type { Feed } from "./feed";
import type { Patience } from "./patience";
import type { Picture } from "./picture";
import { type Plan, readable, startMessage, unreadable } from "./plan";
import { hasSpeed, Writer } from "./writer";

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

/** What a run shows itself by. */
export interface Stage {
  readonly map: NumbersSink | null;
  readonly picture: Picture;
  readonly feed: Feed;
  readonly patience: Patience;
  readonly send: (message: ClientMessage) => void;
}

/** Milliseconds between two times that a forgotten run is made again. */
const AGAIN_AFTER = 5000;
/** Refusals of a wish for differences. */
const OTHER_IS_GONE = ["unknown_run", "forgotten_run", "another_model"];

export class RunControl {
  readonly writer: Writer;
  #plan: Plan | null = null;
  #requests = 0;
  /** What was shown before the run that is asked for: it stays if the server refuses. */
  #before: Shown | null = null;
  /** When a forgotten run was last made again. */
  #madeAgain = Number.NEGATIVE_INFINITY;
  /** Whether the writer was at work when the connection was lost. */
  #wasWriting = false;

  constructor(private readonly stage: Stage) {
    this.writer = new Writer(stage.send, this, stage.patience);
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
    this.begin({
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
    this.begin({ model: model.id, ...readAgain(run), tokens, maxNewTokens: 0, write: false });
    state.hidden.value = hidden;
    state.position.value = original ? null : at;
  }

  /** Asks the server for a run. `known` are the tokens and choices of one that it goes on from. */
  begin(plan: Plan, known?: Pick<Run, "tokens" | "promptLength" | "choices">): void {
    this.#before = this.#toKeep();
    this.writer.forget();
    if (plan.write && hasSpeed()) {
      this.writer.writeAfterPrompt("on");
      this.#plan = { ...plan, write: false };
    } else this.#plan = plan;
    showNothingYet();
    const request = this.#nextRequest();
    state.run.value = askedRun(request, plan.model, plan.maxNewTokens, known);
    this.stage.patience.await("the server to begin");
    this.stage.send(startMessage(request, this.#plan));
  }

  /** Shows a run that the server holds already: nothing is computed, and it may be looked at in many windows. */
  async showHeld(model: ModelSummary, answer: RunAnswer): Promise<void> {
    const scales = await getScales(answer.id, {});
    if (state.modelId.value !== model.id) return;
    this.leave();
    const read = answer.source.length > 0 ? answer.source : answer.tokens.slice(0, answer.prompt_length);
    const words = model.has_tokenizer ? textOf(read) : read.map(({ id }) => id).join(" ");
    state.draft.value = words;
    state.readText.value = words;
    state.pairDraft.value = null;
    state.readPair.value = null;
    showNothingYet();
    const run = heldRun(this.#nextRequest(), answer, scales);
    this.#plan = { model: model.id, ...readAgain(run), maxNewTokens: 0, write: false };
    state.run.value = run;
    this.#accepted(run);
    this.stage.patience.end();
  }

  /** Makes a run again of which the server holds no more than its id: what it read is read again, without a word, as
   *  after a connection that was lost. False where that has just been tried: the server then has no room for it. */
  makeAgain(id: string): boolean {
    const run = state.run.value;
    if (!run || run.id !== id || performance.now() - this.#madeAgain < AGAIN_AFTER) return false;
    this.#madeAgain = performance.now();
    if (run.interventions.length > 0) void this.#changeAgain(run);
    else this.restart(true);
    return true;
  }

  async #changeAgain(run: Run): Promise<void> {
    try {
      const answer = await changeAgain(run.model, readAgain(run), run.interventions);
      const model = state.model.value;
      if (state.run.value?.id === run.id && model) await this.showHeld(model, answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      state.promptProblem.value = { message: error.message, hint: error.hint };
    }
  }

  /** Asks for what the run now shown has read and written so far, on a new connection or after a failure. */
  restart(forgotten = false): void {
    const run = state.run.value;
    if (!run || !this.#plan) return;
    if (run.held && !forgotten) {
      this.#accepted(run);
      this.stage.patience.end();
      return;
    }
    const writing = this.#wasWriting || run.phase === "writing";
    this.#wasWriting = false;
    const left = run.maxNewTokens - written(run);
    const hidden = state.hidden.value;
    const maxNewTokens = Math.max(0, left);
    if (run.tokens.length === 0) this.begin(this.#plan);
    else this.begin({ model: run.model, ...readAgain(run), maxNewTokens, write: writing && left > 0 }, run);
    state.hidden.value = hidden;
  }

  /** Keeps nothing of what is shown: another model is opened. */
  leave(): void {
    this.#cancel(state.run.value);
    this.#cancel(this.#before?.run ?? null);
    this.#before = null;
    this.writer.forget();
  }

  /** The connection is lost, and with it the runs that it made. */
  connectionLost(): void {
    if (state.connection.value === "open") this.#wasWriting = state.run.value?.phase === "writing";
    this.writer.keepPaceNoMore();
    this.#before = null;
  }

  /** Follows a message of the server. */
  hear(message: ServerMessage): void {
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
    const isBetween = message.type === "paused" && this.writer.isPaced;
    const after: Run = isBetween ? { ...advanced, phase: "writing" } : advanced;
    state.run.value = after;
    this.#follow(message.type, after);
  }

  #follow(type: ServerMessage["type"], run: Run): void {
    const { map, picture, patience } = this.stage;
    switch (type) {
      case "accepted":
        this.#cancel(this.#before?.run ?? null);
        this.#before = null;
        this.#accepted(run);
        return;
      case "token":
        picture.nameTokens(run);
        this.writer.tokenCame();
        break;
      case "paused":
        patience.end();
        map?.refreshActivations();
        this.writer.rested();
        return;
      case "done":
        this.writer.keepPaceNoMore();
        map?.refreshActivations();
        break;
      case "scales":
      case "beat":
        return;
    }
    patience.end();
  }

  #accepted(run: Run): void {
    this.stage.picture.begin(run);
    this.stage.feed.begin();
    this.stage.patience.await("the first layer");
  }

  #nextRequest(): string {
    this.#requests += 1;
    return `request-${this.#requests}`;
  }

  #cancel(run: Run | null): void {
    if (run?.id && run.phase !== "done") this.stage.send({ type: "cancel", run: run.id });
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
      paced: this.writer.isPaced,
    };
  }

  /** The run asked for is refused: what was shown before is shown again, as far as it has come meanwhile. */
  #showAgain({ run, plan, text, pair, hidden, position, paced }: Shown): void {
    this.#before = null;
    this.writer.writeAfterPrompt(null);
    this.#plan = plan;
    state.run.value = run;
    state.readText.value = text;
    state.readPair.value = pair;
    state.hidden.value = hidden;
    state.position.value = position;
    this.stage.picture.nameTokens(run);
    this.refresh();
    if (paced && run.phase === "paused") this.writer.resume();
  }

  /** Asks for all activations of the run anew: other numbers of it are to be shown. */
  refresh(): void {
    if (!state.run.value?.id) return;
    this.stage.map?.clearActivations();
    state.arrived.value = new Set();
    this.stage.feed.begin();
  }

  /** A wish for the run on show that the server has forgotten; of a difference, the other run may be the one. */
  #isMadeAgain({ error, run }: ErrorMessage): boolean {
    return error.type === "forgotten_run" && !comparison.value && run !== null && this.makeAgain(run);
  }

  #refused(message: ErrorMessage, run: Run | null): void {
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
}

/** Forgets all that was known of the run before. */
export function showNothingYet(): void {
  state.promptProblem.value = null;
  state.lightsLast.value = false;
  state.writesByHand.value = false;
  state.position.value = null;
  state.hidden.value = new Map();
  state.arrived.value = new Set();
  state.reached.value = -1;
  state.framesTaken.value = 0;
}
