/** The writer's controls: write, one token more, pause, stop; and its pace where a speed was chosen, when the page
 *  itself asks for each token as it is due. */

import type { ClientMessage } from "../net/types";
import { type Run, readAgain, roomFor, writingNext } from "../state/run";
import * as state from "../state/store";
import type { Patience } from "./patience";
import type { Plan } from "./plan";

/** What the writer needs of whoever reads: it reads what was typed first, and goes on in a new run where one is full. */
export interface Reader {
  read(text: string): boolean;
  begin(plan: Plan, known?: Pick<Run, "tokens" | "promptLength" | "choices">): void;
}

/** How many tokens are to be written; "on" is until somebody pauses. */
export type Count = number | "on";

export class Writer {
  /** What to write once the prompt has been read; null leaves the run waiting. */
  #afterPrompt: Count | null = null;
  /** Whether the writer goes on token by token at the speed that was chosen, and when the next one is due. */
  #paced = false;
  #nextToken = 0;
  #lastTokenAt = 0;
  #paces: number[] = [];

  constructor(
    private readonly send: (message: ClientMessage) => void,
    private readonly reader: Reader,
    private readonly patience: Patience,
  ) {}

  /** Whether it goes on token by token. */
  get isPaced(): boolean {
    return this.#paced;
  }

  /** Writes until paused. What was typed and not yet read is read first. A run that is done is continued by a new one
   *  that reads everything so far; where nothing can follow, the text is read again and written on anew. */
  write(): void {
    const [run, model] = [state.run.value, state.model.value];
    const anew = run && model && !state.unread.value && writingNext(run, model.positions) === "begins anew";
    if (!anew) this.#goOn("on");
    else if (this.reader.read(state.readText.value)) this.#writeByHand("on");
  }

  /** Writes one token. */
  step(): void {
    this.#goOn(1);
  }

  pause(): void {
    const run = state.run.value;
    if (!run?.id) return;
    const waits = this.#paced && this.#nextToken !== 0;
    this.keepPaceNoMore();
    if (waits) state.run.value = { ...run, phase: "paused" };
    else this.send({ type: "pause", run: run.id });
  }

  stop(): void {
    const run = state.run.value;
    this.keepPaceNoMore();
    if (run?.id) this.send({ type: "cancel", run: run.id });
  }

  /** Another speed was chosen: a writer at work takes it on with its next token. */
  paceChanged(): void {
    const run = state.run.value;
    if (!run?.id || run.phase !== "writing") return;
    if (!this.#paced) {
      this.#paced = true;
      this.send({ type: "pause", run: run.id });
    } else if (this.#nextToken !== 0) this.#awaitNextToken();
  }

  /** Writes so much once the prompt has been read; null writes nothing. */
  writeAfterPrompt(count: Count | null): void {
    this.#afterPrompt = count;
  }

  /** Forgets what was to be written: another text is read. */
  forget(): void {
    this.#afterPrompt = null;
    this.keepPaceNoMore();
  }

  keepPaceNoMore(): void {
    this.#paced = false;
    window.clearTimeout(this.#nextToken);
    this.#nextToken = 0;
  }

  /** Goes on with a run that was written token by token before another was asked for, and refused. */
  resume(): void {
    this.#write("on");
  }

  /** The run rests: goes on with what is to be written after the prompt, or with the next token at its time. */
  rested(): void {
    if (this.#afterPrompt !== null) {
      const count = this.#afterPrompt;
      this.#afterPrompt = null;
      this.#write(count);
    } else if (this.#paced) this.#awaitNextToken();
  }

  /** Measures the pace at which tokens come. */
  tokenCame(): void {
    const now = performance.now();
    this.#paces = [...this.#paces, now - this.#lastTokenAt].slice(-8);
    this.#lastTokenAt = now;
    const mean = this.#paces.reduce((sum, pace) => sum + pace, 0) / this.#paces.length;
    state.tokensPerSecond.value = mean > 0 ? 1000 / mean : null;
  }

  #goOn(count: Count): void {
    if (state.unread.value) {
      if (this.reader.read(state.draft.value)) this.#writeByHand(count);
      return;
    }
    this.#write(count);
    state.writesByHand.value = true;
  }

  #writeByHand(count: Count): void {
    this.#afterPrompt = count;
    state.writesByHand.value = true;
  }

  #write(count: Count): void {
    const run = state.run.value;
    if (!run) return;
    if (run.phase === "done") {
      this.#continue(run, count);
      return;
    }
    if (!run.id) return;
    this.#paced = count === "on" && hasSpeed();
    this.#lastTokenAt = performance.now();
    this.#ask(run, this.#paced ? 1 : count);
  }

  #ask(run: Run, count: Count): void {
    if (!run.id) return;
    state.run.value = { ...run, phase: "writing" };
    const tokens = count === "on" ? null : count;
    this.send({ type: "step", run: run.id, count: tokens, sampling: state.sampling.value });
    this.patience.await("the next token");
  }

  /** The server has written what it was asked for: at a chosen speed, the next token is asked for when it is due. */
  #awaitNextToken(): void {
    window.clearTimeout(this.#nextToken);
    const due = this.#lastTokenAt + 1000 / (state.writingSpeed.value ?? Number.POSITIVE_INFINITY);
    this.#nextToken = window.setTimeout(
      () => {
        this.#nextToken = 0;
        const run = state.run.value;
        this.#paced = hasSpeed();
        if (run) this.#ask(run, this.#paced ? 1 : "on");
      },
      Math.max(0, due - performance.now()),
    );
  }

  /** Goes on where a run has ended, in a new one. */
  #continue(run: Run, count: Count): void {
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
    const plan = { model: run.model, ...readAgain(run), maxNewTokens: room, write: count === "on" };
    this.reader.begin(plan, run);
    if (count !== "on") this.#afterPrompt = count;
  }
}

/** Whether a speed was chosen that holds: a search looks at whole texts, and is not told token by token. */
export const hasSpeed = (): boolean => state.writingSpeed.value !== null && state.sampling.value.beams === 1;
