/** The player on a cell's card: play, pause, scrub, step by step, and what happens in words. */

import { signal } from "@preact/signals";
import { cellTrack } from "../../playback/cell/cell-track";
import { over, type Track } from "../../playback/track";
import { knownExplanation } from "../../session/explanations";
import { played, sameCell } from "../../state/explain";
import { type Cell, graph, hovered } from "../../state/store";
import { still, timeline } from "../../state/timeline";
import { useActions } from "../shared/actions";
import { useExplanation } from "../shared/use-explanation";
import { sumOf } from "./build-cell-script";
import "./player.css";
import { Speed } from "./speed";

export function Player({ cell }: { cell: Cell }) {
  const { map } = useActions();
  const { answer } = useExplanation(cell, "backward");
  if (!answer?.op || answer.masked || answer.result === null || !graph.value) return null;
  const now = played.value;
  const mine = now !== null && sameCell(now.cell, cell);
  if (!mine)
    return (
      <p class="player">
        <button type="button" class="pill" onClick={() => play(cell)} disabled={!map} title="A">
          ▸ Play the arithmetic
        </button>
      </p>
    );
  return <Controls />;
}

/** Starts at once, over the moment of the pass where one stands; where motion is not wanted, the end stands and the
 *  steps are told. */
export function play(cell: Cell): void {
  const answer = knownExplanation(cell, "backward");
  if (!answer?.op) return;
  hovered.value = null;
  if (played.value) timeline.leave();
  const track = signal<Track>(over(timeline.picture.peek(), cellTrack(cell, sumOf(answer))));
  const end = { step: track.value.steps.length - 1, progress: 1 };
  timeline.putOver(track, still.value ? end : { step: 0, progress: 0 }, !still.value);
}

/** The slider counts in whole numbers. */
const FINE = 1000;

function Controls() {
  const [now, track] = [played.value!, timeline.track.value!];
  const at = timeline.place.value!.step;
  const words = track.wordsAt(timeline.place.value!);
  return (
    <section class="player" aria-label="The arithmetic, played">
      <div class="row">
        <button type="button" class="pill" title="Space" onClick={() => timeline.toggle()}>
          {now.running ? "Pause" : "▸ Play"}
        </button>
        <input
          type="range"
          min="0"
          max={FINE}
          aria-label="Time"
          aria-valuetext={words}
          value={Math.round(now.time * FINE)}
          onInput={({ currentTarget }) => timeline.seek((Number(currentTarget.value) / FINE) * track.seconds)}
        />
        <Speed />
        <button type="button" class="link" aria-label="Close the player" onClick={() => timeline.leave()}>
          ×
        </button>
      </div>
      <ol class="phases">
        {track.steps.map((_, n) => (
          <li key={n} class={n > at ? "soft" : undefined} aria-current={n === at ? "step" : undefined}>
            <button type="button" class="link" onClick={() => timeline.stand({ step: n, progress: 1 })}>
              {track.wordsAt({ step: n, progress: 1 })}
            </button>
          </li>
        ))}
      </ol>
      <span class="unseen" aria-live="polite">
        {now.running ? words : ""}
      </span>
    </section>
  );
}
