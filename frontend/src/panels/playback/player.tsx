/** The player on a cell's card: play, pause, scrub, step by step, and what happens in words. */

import { rehearse } from "../../playback/cell/rehearse";
import type { Phase } from "../../playback/cell/script";
import { knownExplanation } from "../../session/explanations";
import { played, sameCell } from "../../state/explain";
import { type Cell, graph, hovered } from "../../state/store";
import { useActions } from "../shared/actions";
import { useExplanation } from "../shared/use-explanation";
import { sumOf } from "./build-cell-script";
import { still } from "./pass-playback";
import "./player.css";

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
  return <Controls cell={cell} />;
}

/** Starts at once; where motion is not wanted, the end stands and the steps are told. */
export function play(cell: Cell): void {
  if (!knownExplanation(cell, "backward")?.op) return;
  const whole = still();
  hovered.value = null;
  played.value = { cell, time: whole ? 1 : 0, running: !whole };
}

function Controls({ cell }: { cell: Cell }) {
  const now = played.value!;
  const phases = phasesOf(cell);
  const current = phases.findIndex(({ stop }) => now.time < stop);
  const at = current < 0 ? phases.length - 1 : current;
  const goTo = (time: number) => {
    played.value = { ...now, time, running: false };
  };
  const toggle = () => {
    const again = now.time >= 1;
    played.value = { ...now, time: again ? 0 : now.time, running: !now.running };
  };
  return (
    <section class="player" aria-label="The arithmetic, played">
      <div class="row">
        <button type="button" class="pill" onClick={toggle}>
          {now.running ? "Pause" : "▸ Play"}
        </button>
        <input
          type="range"
          min="0"
          max="1000"
          aria-label="Time"
          aria-valuetext={phases[at]?.words}
          value={Math.round(now.time * 1000)}
          onInput={(event) => goTo(Number(event.currentTarget.value) / 1000)}
        />
        <button
          type="button"
          class="link"
          aria-label="Close the player"
          onClick={() => {
            played.value = null;
          }}
        >
          ×
        </button>
      </div>
      <ol class="phases">
        {phases.map(({ name, words, stop }, n) => (
          <li key={name} class={n > at ? "soft" : undefined} aria-current={n === at ? "step" : undefined}>
            <button type="button" class="link" onClick={() => goTo(stop - 0.001)}>
              {words}
            </button>
          </li>
        ))}
      </ol>
      <span class="unseen" aria-live="polite">
        {now.running ? phases[at]?.words : ""}
      </span>
    </section>
  );
}

/** What happens when; it does not depend on where plates stand. */
function phasesOf(cell: Cell): readonly Phase[] {
  const answer = knownExplanation(cell, "backward");
  if (!answer) return [];
  return rehearse(sumOf(answer), () => null, { corner: [0, 0, 0], cell: 1 }).phases;
}
