/** The one store: what the page knows, as signals. Panels and scene read it; the session and the panels' own
 *  controls write it. The address bar mirrors part of it (state/address.ts). */

import { computed, type Signal, signal } from "@preact/signals";
import type { Graph, TensorInfo } from "../graph/types";
import type { HeadArrangement } from "../layout/head-arrangement";
import type { Lost } from "../net/stream";
import type { Candidate, ModelSummary, Prediction, Sampling, Token } from "../net/types";
import { type AttentionChoice, FIRST_ATTENTION } from "./attention";
import type { LaidOut } from "./laid-out";
import { hasRead, type Run } from "./run";

/** One cell of one tensor, by the tensor's own axes. */
export interface Cell {
  readonly tensor: string;
  readonly index: readonly number[];
}

/** A cell under the pointer, with what the map holds of its value and where on the screen it is. */
export interface PointedCell extends Cell {
  /** From the map's half floats; null where the number is not there yet. */
  readonly value: number | null;
  readonly x: number;
  readonly y: number;
}

/** Something that went wrong, in words, and what to do about it. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

export type Connection = "connecting" | "open" | "lost";

export const DEFAULT_SAMPLING: Sampling = { temperature: 0.8, top_k: 0, top_p: 0.95, seed: 0, beams: 1 };

export const models = signal<readonly ModelSummary[]>([]);
export const modelId = signal<string | null>(null);
export const model = computed(() => models.value.find((candidate) => candidate.id === modelId.value) ?? null);
export const graph = signal<Graph | null>(null);
/** Full colour of the model's weights, by kind; activations have theirs in the run. */
export const weightScales = signal<Readonly<Record<string, number>>>({});

/** What stands in the prompt bar. */
export const draft = signal("");
/** The text that was last read: what the address bar holds. */
export const readText = signal("");
/** A second text, read together with the first by a model of pairs: what stands in its box, and what was last read; null
 *  where there is none. */
export const pairDraft = signal<string | null>(null);
export const readPair = signal<string | null>(null);
/** Whether the model shown reads two texts together: one that reads all of a text at once, from words. */
export const readsPairs = computed(() => model.value?.kind === "encoder" && model.value.has_tokenizer);
/** What was typed has not been read: the chips, the map and all panels tell of the text before. */
export const unread = computed(
  () =>
    run.value !== null &&
    (draft.value !== readText.value || (pairDraft.value || null) !== (readPair.value || null)),
);
/** Tokens a second at which the writer writes; null is as fast as it goes. */
export const writingSpeed = signal<number | null>(null);
export const sampling = signal<Sampling>(DEFAULT_SAMPLING);
export const run = signal<Run | null>(null);
/** The position whose distribution and column are shown; null follows the last. */
export const position = signal<number | null>(null);

/** The run on show writes, or waits in the midst of writing, because somebody asked for it. */
export const writesByHand = signal(false);

/** Tokens that stand hidden behind a mask, by position. */
export const hidden = signal<ReadonlyMap<number, Token>>(new Map());

export const connection = signal<Connection>("connecting");
/** Why the connection was lost, where it is. */
export const lostTo = signal<Lost>("away");
export const device = signal("");
/** The model that the server shows first. */
export const defaultModel = signal<string | null>(null);
/** A refusal that belongs to the prompt, and one that belongs to the page. */
export const promptProblem = signal<Problem | null>(null);
export const pageProblem = signal<Problem | null>(null);
/** Connected, but nothing has been heard of the server for some seconds. */
export const serverSilent = signal(false);
/** What is to be known of how the run on show came to be. */
export const runNote = signal<string | null>(null);
/** Set while something awaited stays out for long: what it is. */
export const waitingFor = signal<string | null>(null);
export const framesTaken = signal(0);
/** Names of tensors of the current run whose numbers have come. */
export const arrived = signal<ReadonlySet<string>>(new Set());
export const tokensPerSecond = signal<number | null>(null);

export const hovered = signal<PointedCell | null>(null);
export const selected = signal<Cell | null>(null);
/** Cells that a panel points out on the map, besides what explains a cell; null along an axis is all of it. */
export const marked = signal<readonly { tensor: string; index: readonly (number | null)[] }[]>([]);
/** The columns of the last token are lit while nothing else is: for whoever has just come. */
export const lightsLast = signal(false);
/** The id of the panel that is open (shell/panels.ts lists them). */
export const panel = signal("inspector");
export const attention = signal<AttentionChoice>(FIRST_ATTENTION);
/** What an address asked for as attention and nobody can read. */
export const attentionUnread = signal<string | null>(null);
/** How the heads of an attention stand in the map. */
export const heads = signal<HeadArrangement>("fan");
/** What the layout on the map was made for; another object when a new layout is there to fly in. */
export const laidOut = signal<LaidOut | null>(null);
/** Null where the map cannot be drawn, with the reason in `mapProblem`. */
export const mapProblem = signal<Problem | null>(null);

const rowCounts = new Map<string, Signal<number>>();

/** How often rows of this tensor have come: what a picture of it has to follow. */
export function rowsTaken(tensor: string): Signal<number> {
  let count = rowCounts.get(tensor);
  if (!count) {
    count = signal(0);
    rowCounts.set(tensor, count);
  }
  return count;
}

/** How far the pass has come, as the place in the graph of the last tensor of which anything has come. */
export const reached = signal(-1);

const placesInGraph = computed(
  () => new Map((graph.value?.tensors ?? []).map(({ name }, place) => [name, place])),
);

/** Something of a tensor of the run has come, by rows or by tiles. */
export function reach(tensor: string): void {
  const place = placesInGraph.value.get(tensor) ?? -1;
  if (place > reached.value) reached.value = place;
}

/** Whether the pass has come to a tensor: what comes earlier in the graph is there before what comes later. */
export function passHasCome({ name, role }: TensorInfo): boolean {
  if (role === "weight" || (run.value && hasRead(run.value))) return true;
  return (placesInGraph.value.get(name) ?? 0) <= reached.value;
}

/** The layers of the graph, and how many of them have read the prompt. Layers come one after the other, and not
 *  everything of a large model is sent: what has come of a layer says that those before it are done. */
export const layersFilled = computed(() => {
  const ends = (graph.value?.tensors ?? []).filter(
    ({ kind, same_as }) => kind === "hook_resid_post" && same_as === null,
  );
  const phase = run.value?.phase;
  const read =
    phase === "paused" || phase === "writing" || (phase === "done" && run.value?.reason !== "cancelled");
  const filled = ends.filter(({ name }) => (placesInGraph.value.get(name) ?? 0) <= reached.value).length;
  return { filled: read ? ends.length : filled, total: ends.length };
});

/** The masked position whose predictions are shown: the chosen one, or the first; null where none is masked. */
export const shownMask = computed<Prediction | null>(() => {
  const { predictions } = run.value ?? { predictions: [] };
  return predictions.find((one) => one.position === position.value) ?? predictions[0] ?? null;
});

/** The position whose followers are shown: the one pointed out, or the last that has been read. */
export const shownPosition = computed<number | null>(() => {
  const now = run.value;
  if (!now || now.tokens.length === 0) return null;
  const last = now.tokens.length - 1;
  const read = now.top.length === 0 && now.choices.has(last) ? last - 1 : last;
  return Math.min(position.value ?? read, read);
});

/** The distribution over what follows that position, over what comes next, or over what is masked. */
export const shownTop = computed<readonly Candidate[]>(() => {
  const now = run.value;
  const at = shownPosition.value;
  if (!now || at === null) return [];
  if (model.value?.kind === "encoder") return shownMask.value?.top ?? [];
  return at === now.tokens.length - 1 ? now.top : (now.choices.get(at + 1)?.top ?? []);
});
