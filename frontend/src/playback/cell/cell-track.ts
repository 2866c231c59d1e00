/** The arithmetic of a cell as a track: its steps are the phases of its script. */

import { type CellPlayed, inARow, type Track, timeOf } from "../track";
import { rehearse } from "./rehearse";
import type { Sum } from "./script";

/** When which phase is does not depend on where plates stand. */
export function cellTrack(cell: CellPlayed, sum: Sum): Track {
  const { phases, seconds } = rehearse(sum, () => null, { corner: [0, 0, 0], cell: 1 });
  const line = inARow(phases.map(({ start, stop }) => (stop - start) * seconds));
  return {
    ...line,
    pictureAt: (place) => ({ pass: null, cell: { cell, time: timeOf(line, place) / line.seconds } }),
    wordsAt: ({ step }) => phases[step]?.words ?? "",
  };
}
