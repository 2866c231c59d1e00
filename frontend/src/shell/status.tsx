/** The line at the foot: what the run is doing, and the map's two ways home. */

import { HEAD_ARRANGEMENTS } from "../layout/head-arrangement";
import { leavePass, stepBy } from "../panels/playback/pass-controls";
import { useActions } from "../panels/shared/actions";
import type { CameraPort, FlightPort } from "../scene/ports";
import { isSteppable, passing } from "../state/pass";
import type { Run } from "../state/run";
import {
  type Cell,
  connection,
  device,
  heads,
  layersFilled,
  run,
  selected,
  tokensPerSecond,
  waitingFor,
} from "../state/store";
import "./status.css";

export function Status() {
  const { map, session } = useActions();
  return (
    <footer class="status">
      {map && (
        <>
          <button
            type="button"
            class="pill"
            title="The whole model in view (0)"
            onClick={() => map.fit(true)}
          >
            Fit
          </button>
          <button
            type="button"
            class="pill"
            title="Look straight at the map, or at the chosen cell's plate"
            onClick={() => faceMe(map, selected.value)}
          >
            Face me
          </button>
          <Heads />
        </>
      )}
      {isSteppable.value && (
        <button
          type="button"
          class="pill"
          aria-pressed={passing.value !== null}
          title="Step through the forward pass: arrow keys, Space"
          onClick={() => (passing.value ? leavePass() : stepBy(session, 1))}
        >
          Step through
        </button>
      )}
      <span class="mono" role="status">
        {connection.value === "open"
          ? runText(run.value)
          : connection.value === "lost"
            ? "not connected"
            : "connecting"}
      </span>
      {waitingFor.value && connection.value === "open" && (
        <span>
          still waiting for {waitingFor.value}{" "}
          <button type="button" class="pill" onClick={() => session.retry()}>
            Ask again
          </button>
        </span>
      )}
      <span class="grow" />
      <Layers />
      {tokensPerSecond.value !== null && (
        <span class="mono soft">{tokensPerSecond.value.toFixed(1)} tokens/s</span>
      )}
      <span class="mono soft">{device.value}</span>
    </footer>
  );
}

/** Chooses how the heads of an attention stand. */
function Heads() {
  const { session } = useActions();
  return (
    <label class="mono soft heads" title="How the attention heads of a block stand on the map">
      heads
      <select
        value={heads.value}
        onChange={({ currentTarget }) => {
          heads.value = HEAD_ARRANGEMENTS.find((name) => name === currentTarget.value) ?? "fan";
          session.rearrange();
        }}
      >
        {HEAD_ARRANGEMENTS.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Layers() {
  const { filled, total } = layersFilled.value;
  if (!total || !run.value) return null;
  return (
    <span class="mono soft layers">
      {filled === total ? `all ${total} blocks` : `${filled} of ${total} blocks`} computed
      <progress max={total} value={filled} aria-label="blocks filled" />
    </span>
  );
}

function runText(now: Run | null): string {
  if (!now) return "no run yet";
  switch (now.phase) {
    case "asked":
      return "asking the server";
    case "queued":
      return `waiting in line, ${now.ahead} ahead`;
    case "reading":
      return now.top.length > 0 ? "has read the text" : "reading";
    case "writing":
      return "writing";
    case "paused":
      return "ready to write";
    case "done":
      return doneText(now);
  }
}

function doneText({ reason, maxNewTokens }: Run): string {
  switch (reason) {
    case "complete":
      return "has read the text";
    case "max_new_tokens":
      return maxNewTokens === 0 ? "has read the text" : "has written its share; Go on adds more";
    case "end_of_text":
      return "the model ended its text";
    case "context":
      return "the context is full";
    case "not_finite":
      return "its logits are no numbers: no token can be chosen";
    default:
      return "stopped; it can go on from here";
  }
}

/** Straight on, so that cells are squares: the plate of the chosen cell, or the map where the eye is. */
function faceMe(map: CameraPort & FlightPort, cell: Cell | null): void {
  if (!cell) {
    map.faceOn();
    return;
  }
  map.flyTo({ plateOf: cell }, false);
  map.setCamera({ ...map.getCamera(), azimuth: 0, elevation: 0 }, true);
}
