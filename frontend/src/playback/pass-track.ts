/** The forward pass as a track: where it stands, which head is in front, and what is told, at every place. */

import type { Reading } from "../graph/cells";
import { type Moment, momentOf, type Part, type Pass } from "../graph/pass";
import { isTokenAxis } from "../graph/shape";
import type { Graph } from "../graph/types";
import { attentionAround, type HeadOf, headOf } from "../layout/front";
import { isSweep, paceOf, shownAt } from "./pace";
import { type Grain, nameAt, type TimedPass, timed } from "./pass-time";
import { lettersOf, type Meaning, meaningOf, type Numbers, sweepWords, type Texts } from "./pass-words";
import type { CellPlayed, Place, Track } from "./track";

/** A pass with its time: every operation stays as long as its words are to be read. */
export const timedPass = (graph: Graph, pass: Pass, grain: Grain): TimedPass =>
  timed(pass, (step) => paceOf(step.parts, lettersOf(graph, step), sweepWords(step).length), grain);

/** What the pictures and words of a pass are made from. */
export interface PassRead {
  readonly graph: Graph;
  readonly pass: TimedPass;
  readonly reading: Reading;
  readonly texts: Texts;
  readonly numbers: Numbers;
  /** The head that the attention panel shows. */
  readonly head: number;
}

/** What the pass does at a place, in plain words. */
export interface Told extends Meaning {
  /** The block, the embedding or the output. */
  readonly mark: string;
  /** The cell that the picture singles out; null where it shows many at once. */
  readonly spokenOf: CellPlayed | null;
}

export function passTrack(read: PassRead): Track {
  const { steps, seconds } = read.pass;
  return {
    steps,
    seconds,
    pictureAt: (place) => ({ pass: place, cell: null }),
    wordsAt: (place) => toldAt(read, place)?.meaning ?? steps[place.step]?.op.title ?? "",
  };
}

/** The head that stands before the others: the one of which something is made; the first before that, the last after.
 *  Where one stands at a step that is done, it is the one that the attention panel shows. */
export function headInFront({ graph, pass, reading, head }: PassRead, place: Place): HeadOf | null {
  const step = pass.steps[place.step];
  const attention = step ? attentionAround(graph, step.output.name) : null;
  if (!step || attention === null) return null;
  const part = toldPart(shownAt(step.pace, place.progress).part, step.parts, place);
  const made = part === "all" ? undefined : momentOf(graph, step, part, reading)?.makes[0];
  if (made) return headOf(graph, step.output.name, made.start);
  return { attention, head: Math.min(head, (graph.sizes.head ?? 1) - 1) };
}

export function toldAt(read: PassRead, place: Place): Told | null {
  const { graph, pass, reading, numbers, texts } = read;
  const step = pass.steps[place.step];
  if (!step) return null;
  const { part, showing } = shownAt(step.pace, place.progress);
  const moment = momentOf(graph, step, toldPart(part, step.parts, place), reading);
  if (!moment) return null;
  const mark = nameAt(pass, place);
  const told = meaningOf(graph, moment, headInFront(read, place), numbers, texts);
  if (isSweep(showing)) return { ...told, mark, meaning: sweepWords(step), cell: null, spokenOf: null };
  return { ...told, mark, spokenOf: part === "none" ? null : singledOut(moment, told.cell) };
}

/** Which part is told of: before the first it is spoken of already, after the last still. */
function toldPart(part: Part, parts: number, { progress }: Place): Part {
  if (part === "none") return 0;
  return part === "all" && progress < 1 ? parts - 1 : part;
}

/** The cell that a moment is shown by: of the token spoken of, in the middle of what is made for it. */
function singledOut({ step: { output, shape } }: Moment, told: CellPlayed | null): CellPlayed | null {
  if (!told) return null;
  const feature = output.axes.length - 1;
  const middle = !isTokenAxis(output.axes[feature]!) && output.axes[feature] !== "head";
  const index = told.index.map((at, axis) => (axis === feature && middle ? shape[axis]! >> 1 : at));
  return { tensor: told.tensor, index };
}
