/** Puts the timeline where a step of a lesson says: at an operation of the pass, or at the arithmetic of one cell. A cell's
 *  arithmetic is played once its explanation has come. Draws nothing. */

import { useEffect } from "preact/hooks";
import type { ResolvedMoment } from "../../net/contract.gen";
import { answerTo, lessonPlace, lessonStep } from "../../state/lesson";
import { pass, passPlayed } from "../../state/pass";
import type { Cell } from "../../state/store";
import { still, timeline } from "../../state/timeline";
import { play } from "../playback/player";
import { useExplanation } from "../shared/use-explanation";

export function LessonMoment() {
  const step = lessonStep.value;
  const place = lessonPlace.value;
  // What is played would give away the answer to a guess.
  const waits = step?.predict && place ? answerTo(place, "predict") === null : false;
  const moment = waits ? null : (step?.see?.moment ?? null);
  useEffect(() => {
    timeline.clear();
    if (moment?.track === "pass") standInPass(moment);
  }, [step?.id]);
  const at = moment?.track === "cell" ? moment.at : null;
  if (!step || !at) return null;
  return <CellMoment key={step.id} cell={{ tensor: at.tensor, index: at.index.map((each) => each ?? 0) }} />;
}

/** An operation by the tensor that it makes; the beginning of the pass where none is named. */
function standInPass({ at, progress, play: runs }: ResolvedMoment): void {
  const steps = pass.value?.steps ?? [];
  const found = at ? steps.findIndex(({ output }) => output.name === at.tensor) : 0;
  if (found >= 0 && steps.length > 0)
    timeline.put(passPlayed, { step: found, progress }, runs && !still.value);
}

function CellMoment({ cell }: { cell: Cell }) {
  const { answer } = useExplanation(cell, "backward");
  const ready = answer !== null && answer !== undefined && answer.op !== null && answer.masked === null;
  useEffect(() => {
    if (ready) play(cell);
  }, [ready]);
  return null;
}
