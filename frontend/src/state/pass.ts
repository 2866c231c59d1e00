/** Stepping through a forward pass: the track of the pass, and what of it is shown where the timeline stands. */

import { computed, signal } from "@preact/signals";
import { type Moment, passOf } from "../graph/pass";
import type { Graph } from "../graph/types";
import type { HeadOf } from "../layout/front";
import { type Grain, momentAt, type TimedPass, type TimedStep } from "../playback/pass-time";
import { headInFront, type PassRead, passTrack, type Told, timedPass, toldAt } from "../playback/pass-track";
import type { Numbers, Texts } from "../playback/pass-words";
import type { Place, Track } from "../playback/track";
import { codec, plainText } from "./codec";
import { made, reading, source, sourceText } from "./source";
import { attention, framesTaken, graph, run } from "./store";
import { still, timeline } from "./timeline";

export interface Passing extends Place {
  readonly running: boolean;
}

/** Whether the pass is told operation by operation, or block by block: then every block takes as long as any other, the
 *  eye goes from block to block, and the words are those of the block. */
export const passGrain = signal<Grain>("operation");
/** The address gave a view of its own along with the step: the eye stays there until the next. */
export const viewIsGiven = signal(false);
/** The numbers that the map holds; none before there is one. */
export const numbersShown = signal<Numbers>({ valueAt: () => undefined });

/** Whether there are numbers to step through: of a run that the server has taken on, or of another source. */
export const isSteppable = computed(
  () => graph.value !== null && (run.value?.id ? source.value !== null : made.value !== null),
);

let last: { graph: Graph; target: number; source: number; grain: Grain; pass: TimedPass } | null = null;

/** The pass over the tokens read so far. */
export const pass = computed<TimedPass | null>(() => {
  const [now, grain] = [graph.value, passGrain.value];
  const { positions } = reading.value;
  if (!now) return null;
  const { target, source } = positions;
  if (last?.graph !== now || last.target !== target || last.source !== source || last.grain !== grain)
    last = { graph: now, target, source, grain, pass: timedPass(now, passOf(now, positions), grain) };
  return last.pass;
});

const texts = computed<Texts>(() => {
  const [next] = run.value?.top ?? [];
  return {
    target: sourceText.value.tokens.map(({ text }) => text),
    source: sourceText.value.source.map(({ text }) => text),
    next: next && next.probability !== null ? { text: next.text, probability: next.probability } : null,
  };
});

const passRead = computed<PassRead | null>(() => {
  const [now, whole] = [graph.value, pass.value];
  return (
    now &&
    whole && {
      graph: now,
      pass: whole,
      reading: reading.value,
      texts: texts.value,
      numbers: numbersShown.value,
      head: attention.value.head,
    }
  );
});

/** What the timeline plays while somebody steps through the pass. */
export const passPlayed = computed<Track | null>(() => passRead.value && passTrack(passRead.value));

// ---- where the timeline stands -----------------------------------------------------------------------------

let lastPassing: Passing | null = null;

/** The place of the pass; null where nobody steps through. Runs while it is the pass itself that is played. */
export const passing = computed<Passing | null>(() => {
  const place = timeline.picture.value.pass;
  const running = place !== null && timeline.running.value && timeline.plays(passPlayed);
  const same =
    place?.step === lastPassing?.step &&
    place?.progress === lastPassing?.progress &&
    running === lastPassing?.running;
  if (!same) lastPassing = place && { ...place, running };
  return lastPassing;
});

/** The place as it is shown: where motion is not wanted, operations are shown whole. */
export const shownPlace = computed<Place | null>(() => {
  const place = passing.value;
  return place && still.value ? { ...place, progress: 1 } : place;
});

/** The step that a pass stands at. */
export const currentStep = computed<TimedStep | null>(() => {
  const at = passing.value;
  return (at && pass.value?.steps[at.step]) ?? null;
});

/** What is read and made there. */
export const shownMoment = computed<Moment | null>(() => {
  const [read, place] = [passRead.value, shownPlace.value];
  return read && place && momentAt(read.graph, read.pass, place, read.reading);
});

/** The head that stands in front of the others there. */
export const shownHead = computed<HeadOf | null>(() => {
  const [read, place] = [passRead.value, shownPlace.value];
  return read && place && passGrain.value === "operation" ? headInFront(read, place) : null;
});

let lastTold: Told | null = null;

/** What the pass does there, in plain words: for the bar under the map, and for any panel beside it. The same object
 *  while the same is said. */
export const passTold = computed<Told | null>(() => {
  // Numbers that it speaks of may have come.
  void framesTaken.value;
  const [read, place] = [passRead.value, shownPlace.value];
  const told = read && place && toldAt(read, place);
  if (JSON.stringify(told) !== JSON.stringify(lastTold)) lastTold = told;
  return lastTold;
});

/** The cell that the pass makes just now and speaks of; null block by block, and while many are made at once. */
export const spokenOf = computed(() =>
  passGrain.value === "block" ? null : (passTold.value?.spokenOf ?? null),
);

// ---- in the address ----------------------------------------------------------------------------------------

/** The tensor made, and how far that is where it is not done: `blocks.0.attn.hook_q-0.42`. */
export function writeStep(step: TimedStep, progress: number): string {
  return progress < 1 ? `${step.output.name}-${Number(progress.toFixed(3))}` : step.output.name;
}

/** The place that an address names; null where the pass has no such step. */
export function readStep(text: string, { steps }: TimedPass): Place | null {
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
      if (place) timeline.put(passPlayed, place);
      else if (passing.value) timeline.clear();
    },
  },
});
