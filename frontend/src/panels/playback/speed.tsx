/** How fast it plays: one choice for the pass and for the arithmetic of a cell. */

import { SPEEDS } from "../../playback/timeline";
import { timeline } from "../../state/timeline";

export function Speed() {
  return (
    <label class="mono soft">
      <span class="unseen">Speed</span>
      <select
        value={timeline.speed.value}
        onChange={({ currentTarget }) => {
          timeline.speed.value = Number(currentTarget.value);
        }}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {speed}×
          </option>
        ))}
      </select>
    </label>
  );
}
