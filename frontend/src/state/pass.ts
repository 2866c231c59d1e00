/** Stepping through a forward pass: at which operation it stands, whether it plays, how fast, and whether the eye
 *  follows. What is shown follows from here and the graph (graph/pass.ts). */

import { computed, signal } from "@preact/signals";
import { type Pass, type PassPlace, passOf, type Step } from "../graph/pass";
import type { Graph } from "../graph/types";
import { codec, plainText } from "./codec";
import { reading } from "./explain";
import { type Cell, graph } from "./store";

export interface Passing extends PassPlace {
  readonly running: boolean;
}

/** What the pass does where it stands, in plain words: for the bar under the map, and for any panel beside it. */
export interface PassTold {
  /** The block, the embedding or the output. */
  readonly mark: string;
  /** What it means for one token of this text, with its tokens and numbers; null where only the formula is known. */
  readonly meaning: string | null;
  /** What the block is for. */
  readonly block: string;
  /** A cell that is made just now, of the token spoken of. */
  readonly cell: Cell | null;
}

/** Null while nobody steps through. */
export const passTold = signal<PassTold | null>(null);

/** How fast a pass plays, against the usual pace. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const;

/** Null where nobody steps through. */
export const passing = signal<Passing | null>(null);
export const passSpeed = signal(1);
/** Whether the pass is told operation by operation, or block by block: then every block takes as long as any other, the
 *  eye goes from block to block, and the words are those of the block. */
export const passGrain = signal<"operation" | "block">("operation");
/** Seconds that a block takes at the usual pace. */
export const BLOCK_SECONDS = 12;
export const followsPass = signal(true);
/** The address gave a view of its own along with the step: the eye stays there until the next. */
export const viewIsGiven = signal(false);

let last: { graph: Graph; target: number; source: number; pass: Pass } | null = null;

/** The pass over the tokens read so far. */
export const pass = computed<Pass | null>(() => {
  const now = graph.value;
  const { positions } = reading.value;
  if (!now) return null;
  const { target, source } = positions;
  if (last?.graph !== now || last.target !== target || last.source !== source)
    last = { graph: now, target, source, pass: passOf(now, positions) };
  return last.pass;
});

/** The step that a pass stands at. */
export const currentStep = computed<Step | null>(() => {
  const at = passing.value;
  return (at && pass.value?.steps[at.step]) ?? null;
});

// ---- in the address ----------------------------------------------------------------------------------------

/** The tensor made, and how far that is where it is not done: `blocks.0.attn.hook_q-0.42`. */
export function writeStep(step: Step, progress: number): string {
  return progress < 1 ? `${step.output.name}-${Number(progress.toFixed(3))}` : step.output.name;
}

/** The place that an address names; null where the pass has no such step. */
export function readStep(text: string, { steps }: Pass): PassPlace | null {
  const match = /^([\w.]+?)(?:-(\d?\.?\d+))?$/.exec(text);
  const step = match ? steps.findIndex(({ output }) => output.name === match[1]) : -1;
  if (!match || step < 0) return null;
  return { step, progress: match[2] === undefined ? 1 : Math.min(1, Number(match[2])) };
}

/** Where stepping through the pass stands. The tokens may still be on their way when it is taken: steps are the same
 *  for any number of them. */
export const stepCodec = codec({
  key: "step",
  where: "query",
  ...plainText("step"),
  signal: computed(() =>
    passing.value && currentStep.value ? writeStep(currentStep.value, passing.value.progress) : undefined,
  ),
  history: "replace",
  take: {
    when: "after",
    onRetrace: true,
    into: (text, gives) => {
      const now = pass.value;
      const place = text !== undefined && now ? readStep(text, now) : null;
      viewIsGiven.value = place !== null && gives("camera");
      passing.value = place && { ...place, running: false };
    },
  },
});
