/** A run as the page knows it, and what each of the server's messages makes of it: a pure function. */

import type {
  Candidate,
  Intervention,
  Prediction,
  Reason,
  RunAnswer,
  ServerMessage,
  Token,
} from "../net/types";

export type Phase = "asked" | "queued" | "reading" | "paused" | "writing" | "done";

/** How a token was chosen: its probability (not-a-number where the server has none), and the distribution it was
 *  chosen from. */
export interface Choice {
  readonly probability: number;
  readonly sampledProbability: number;
  readonly top: readonly Candidate[];
}

export interface Run {
  /** Null until the server has accepted it. */
  readonly id: string | null;
  readonly request: string;
  readonly model: string;
  /** What the encoder of an encoder-decoder reads; empty for all others. */
  readonly source: readonly Token[];
  /** What was read, then what was written. */
  readonly tokens: readonly Token[];
  /** The kind of text of every token that was read, of a model that tells kinds apart; else empty. */
  readonly kinds: readonly number[];
  /** How many tokens are the reader's; null until the server has cut the text into tokens. */
  readonly promptLength: number | null;
  /** How many of the tokens this run was given; the rest it wrote itself. */
  readonly given: number;
  /** How many tokens this run may write. */
  readonly maxNewTokens: number;
  /** Positions its plates have room for. */
  readonly capacity: number;
  /** By position: how the token there was chosen. */
  readonly choices: ReadonlyMap<number, Choice>;
  /** The distribution over what comes next; empty until the last token has been read, which after a run's end it never is. */
  readonly top: readonly Candidate[];
  /** What an encoder would put at each masked position. */
  readonly predictions: readonly Prediction[];
  readonly phase: Phase;
  readonly ahead: number;
  readonly reason: Reason | null;
  readonly scales: Readonly<Record<string, number>>;
  /** Made elsewhere, over REST, and shown as the server holds it. */
  readonly held: boolean;
  /** What was changed while the model ran. */
  readonly interventions: readonly Intervention[];
  /** The log-probability in nats, per token written, that decided between the texts of a beam search; else null. */
  readonly beamScore: number | null;
}

/** Whether nothing is being computed: what there is can be read as a whole. */
export const rests = (run: Run | null): boolean => run?.phase === "paused" || run?.phase === "done";

/** Whether the prompt has been read. */
export const hasRead = (run: Run): boolean => rests(run) || run.phase === "writing";

/** A run just asked for. `known` are the tokens and choices of a run that it goes on from. */
export function askedRun(
  request: string,
  model: string,
  maxNewTokens: number,
  known?: Pick<Run, "tokens" | "promptLength" | "choices">,
): Run {
  return {
    id: null,
    request,
    model,
    source: [],
    tokens: known?.tokens ?? [],
    kinds: [],
    promptLength: known?.promptLength ?? null,
    given: known?.tokens.length ?? 0,
    maxNewTokens,
    capacity: 0,
    choices: known?.choices ?? new Map(),
    top: [],
    predictions: [],
    phase: "asked",
    ahead: 0,
    reason: null,
    scales: {},
    held: false,
    interventions: [],
    beamScore: null,
  };
}

/** A run that the server holds already, however it was made. */
export function heldRun(request: string, answer: RunAnswer, scales: Run["scales"]): Run {
  return {
    ...askedRun(request, answer.model, answer.generated.length),
    id: answer.id,
    source: answer.source,
    tokens: answer.tokens,
    kinds: answer.token_types,
    promptLength: answer.prompt_length,
    given: answer.prompt_length,
    capacity: answer.capacity,
    choices: new Map(
      answer.generated.map(({ position, probability, sampled_probability }) => [
        position,
        {
          probability: probability ?? Number.NaN,
          sampledProbability: sampled_probability ?? Number.NaN,
          top: [],
        },
      ]),
    ),
    top: answer.top,
    predictions: answer.predictions,
    phase: "done",
    reason: answer.reason,
    scales,
    held: true,
    interventions: answer.interventions,
    beamScore: answer.beam_score,
  };
}

/** Whether a message speaks of this run; messages of runs left behind still arrive. */
export function concerns(run: Run, message: ServerMessage): boolean {
  if (message.type === "accepted") return message.request === run.request;
  if (message.type === "error")
    return message.request === run.request || (run.id !== null && message.run === run.id);
  if (message.type === "beat") return false;
  return run.id !== null && message.run === run.id;
}

/** The run after this message. */
export function advance(run: Run, message: ServerMessage): Run {
  if (!concerns(run, message)) return run;
  switch (message.type) {
    case "accepted":
      return {
        ...run,
        id: message.run,
        source: message.source,
        tokens: message.tokens,
        kinds: message.token_types,
        promptLength: run.promptLength ?? message.tokens.length,
        given: message.tokens.length,
        capacity: message.capacity,
        maxNewTokens: message.max_new_tokens,
        phase: "reading",
      };
    case "queued":
      return { ...run, phase: message.ahead > 0 ? "queued" : "reading", ahead: message.ahead };
    case "scales":
      return { ...run, scales: message.scales };
    case "prompt":
      return {
        ...run,
        top: message.top,
        predictions: message.predictions,
        phase: run.phase === "queued" ? "reading" : run.phase,
      };
    case "token":
      return withToken(run, message);
    case "paused":
      return { ...run, top: message.top, phase: "paused" };
    case "done":
      return {
        ...run,
        top: message.top,
        phase: "done",
        reason: message.reason,
        beamScore: message.beam_score,
      };
    case "error":
      return { ...run, phase: "done", reason: "cancelled" };
    case "beat":
      return run;
  }
}

function withToken(run: Run, message: Extract<ServerMessage, { type: "token" }>): Run {
  const choices = new Map(run.choices);
  choices.set(run.tokens.length, {
    probability: message.probability ?? Number.NaN,
    sampledProbability: message.sampled_probability ?? Number.NaN,
    top: message.top,
  });
  return { ...run, tokens: [...run.tokens, message.token], choices, top: [], phase: "writing" };
}

/** What is to be read so that another run goes on where this one stands. */
export function readAgain(run: Pick<Run, "tokens" | "source" | "kinds">): TokensRead {
  const own = run.tokens.map(({ id }) => id);
  if (run.source.length > 0) return { tokens: run.source.map(({ id }) => id), target: own };
  return run.kinds.length === own.length ? { tokens: own, kinds: run.kinds } : { tokens: own };
}

/** Tokens to be read as they are: those that an encoder-decoder's own text begins with, and the kind of text of each
 *  where a model tells kinds apart. */
export interface TokensRead {
  readonly tokens: readonly number[];
  readonly target?: readonly number[];
  readonly kinds?: readonly number[];
}

/** Tokens this run has written itself. */
export const written = (run: Run): number => run.tokens.length - run.given;

/** What pressing *Write* does: begin, go on after what is written, or read the text again and begin anew, where the
 *  model has ended its text or has no room for more. */
export type Writing = "begins" | "goes on" | "begins anew";

export function writingNext(run: Run, positions: number): Writing {
  const grown = run.promptLength !== null && run.tokens.length > run.promptLength;
  if (!grown) return "begins";
  const ended = run.phase === "done" && (run.reason === "end_of_text" || run.reason === "context");
  return ended || roomFor(run, positions) <= 0 ? "begins anew" : "goes on";
}

/** How many tokens can be written after those of a run: the last of them need not be read any more. */
export const roomFor = (run: Run, positions: number): number => positions - run.tokens.length + 1;

/** The tokens that the model has read: all but a last one that ended the run, which nothing reads any more. */
export function readTokens(run: Run | null): readonly Token[] {
  if (!run) return [];
  const unread = run.phase === "done" && run.reason === "end_of_text" ? 1 : 0;
  return run.tokens.slice(0, Math.min(run.tokens.length - unread, run.capacity));
}
