/** Walking through a pass: what keys and buttons do. */

import { markOf } from "../../graph/pass";
import { type Place, placeAt, timeOf } from "../../playback/track";
import type { Session } from "../../session/session";
import { pass, passGrain, passing, passPlayed } from "../../state/pass";
import { run } from "../../state/store";
import { timeline } from "../../state/timeline";

/** Stands at a step, done, or somewhere within it. One that begins to step through stops the writing: it is the
 *  present pass that is looked at. */
function stand(session: Session, place: Place, running = false): void {
  if (!passing.value && run.value?.phase === "writing") session.writer.pause();
  timeline.put(passPlayed, place, running);
}

function standAt(session: Session, step: number): void {
  const last = (pass.value?.steps.length ?? 0) - 1;
  if (last >= 0) stand(session, { step: Math.min(last, Math.max(0, step)), progress: 1 });
}

/** From operation to operation; whoever comes in forward begins with the first, backward with the last. */
export function stepBy(session: Session, by: 1 | -1): void {
  const now = passing.value;
  if (!now) standAt(session, by > 0 ? 0 : Number.POSITIVE_INFINITY);
  else standAt(session, now.step + by);
}

/** To the beginning of the next block, or of this one, or of the one before. */
export function blockBy(session: Session, by: 1 | -1): void {
  const [now, whole] = [passing.value, pass.value];
  if (!now || !whole) return;
  const own = markOf(whole, now.step)?.step ?? 0;
  const starts = whole.marks.map(({ step }) => step);
  const before = own < now.step ? own : starts.filter((step) => step < own).at(-1);
  const goal = by > 0 ? starts.find((step) => step > now.step) : before;
  standAt(session, goal ?? (by > 0 ? whole.steps.length - 1 : 0));
}

export const toFirst = (session: Session): void => standAt(session, 0);
export const toLast = (session: Session): void => standAt(session, Number.POSITIVE_INFINITY);

/** Plays on from where it stands, from the beginning once it is at the end, or stops. */
export function togglePass(session: Session): void {
  const [now, whole] = [passing.value, pass.value];
  if (!whole || whole.steps.length === 0) return;
  if (timeline.plays(passPlayed)) timeline.toggle();
  else if (now && timeOf(whole, now) < whole.seconds) stand(session, now, true);
  else stand(session, { step: 0, progress: 0 }, true);
}

/** Space: plays or stops what is played, the arithmetic of a cell or else the pass. */
export function togglePlayed(session: Session): void {
  if (timeline.picture.value.cell) timeline.toggle();
  else togglePass(session);
}

export function scrubTo(session: Session, seconds: number): void {
  if (pass.value) stand(session, placeAt(pass.value, seconds));
}

/** What "Watch it read" plays: the whole pass from its beginning, block by block. */
const WATCHING = 4;

/** Plays the pass over the text that was read, block by block, from the beginning. */
export function watchItRead(session: Session): void {
  if (!pass.value || pass.value.steps.length === 0) return;
  passGrain.value = "block";
  timeline.speed.value = WATCHING;
  timeline.follows.value = true;
  stand(session, { step: 0, progress: 0 }, true);
}

/** Esc: leaves the arithmetic that is played over the pass, or else the pass. */
export function leavePlayed(): void {
  if (timeline.picture.value.cell) timeline.leave();
  else leavePass();
}

export function leavePass(): void {
  timeline.clear();
  if (passGrain.value === "operation") return;
  passGrain.value = "operation";
  timeline.speed.value = 1;
}
