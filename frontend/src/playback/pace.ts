/** How long an operation stays, so that its words can be read: its first part for all of its sentence, the next two for
 *  what differs in theirs, those between in one sweep that has words of its own, and the last again for what differs.
 *  A function of the letters and of the number of parts alone.
 */

import type { Part } from "../graph/pass";

/** Letters, and what stands between them, that are read in a second: 180 words a minute of five letters, which is how
 *  fast the BBC's guidelines let subtitles run. Who reads here looks at a picture as well. */
export const LETTERS_A_SECOND = 15;
/** Share of a sentence that is read once more where it differs by a token and a number, and the least for that. */
const AGAIN = 0.3;
const LEAST_AGAIN = 1.2;
/** The eye's way to the operation, and a last look at all that was made. */
const ARRIVING = 0.6;
const RESTING = 0.8;
/** Parts at the beginning that are shown one by one. */
const SLOW = 3;
/** Seconds that a part of the sweep takes where its words leave more time, or less. */
const A_SWEPT_PART = 0.03;

export const readingTime = (letters: number): number => letters / LETTERS_A_SECOND;

/** What is shown for a while: parts `from` up to `to`, none yet, or all. */
export interface Showing {
  readonly parts: readonly [from: number, to: number] | "none" | "all";
  readonly seconds: number;
}

export interface Pace {
  readonly showings: readonly Showing[];
  readonly seconds: number;
}

/** `letters` are those of the sentence of one part, `swept` those of the sentence for all between. */
export function paceOf(parts: number, letters: number, swept: number): Pace {
  const first = readingTime(letters);
  const again = Math.max(LEAST_AGAIN, AGAIN * first);
  const last = parts - 1;
  // One part between the slow ones and the last is no sweep.
  const slow = last <= SLOW + 1 ? last : SLOW;
  const one = (part: number, seconds: number): Showing => ({ parts: [part, part + 1], seconds });
  const showings: Showing[] = [{ parts: "none", seconds: ARRIVING }, one(0, Math.max(LEAST_AGAIN, first))];
  for (let part = 1; part < slow; part++) showings.push(one(part, again));
  if (slow < last)
    showings.push({
      parts: [slow, last],
      seconds: Math.max(readingTime(swept), (last - slow) * A_SWEPT_PART),
    });
  if (last > 0) showings.push(one(last, again));
  showings.push({ parts: "all", seconds: RESTING });
  return { showings, seconds: showings.reduce((sum, { seconds }) => sum + seconds, 0) };
}

/** What is shown after a share of the whole, from 0 to 1, and which part of it is made just then. */
export function shownAt(pace: Pace, progress: number): { readonly showing: Showing; readonly part: Part } {
  let left = progress * pace.seconds;
  // Sums of fractions may end a hair before the whole.
  const showing = pace.showings.find(({ seconds }) => {
    if (left < seconds - 1e-9) return true;
    left -= seconds;
    return false;
  });
  if (!showing || showing.parts === "all") return { showing: pace.showings.at(-1)!, part: "all" };
  if (showing.parts === "none") return { showing, part: "none" };
  const [from, to] = showing.parts;
  // Faster and faster: the first parts of a sweep can still be followed.
  const way = Math.max(0, left / showing.seconds) ** 1.5;
  return { showing, part: Math.min(to - 1, from + Math.floor(way * (to - from))) };
}

/** Whether parts are gone through too fast to be told of one by one. */
export const isSweep = ({ parts }: Showing): boolean => typeof parts !== "string" && parts[1] - parts[0] > 1;
