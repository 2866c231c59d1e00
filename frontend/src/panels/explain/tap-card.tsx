/** On a phone: what the cell is that was tapped, at the foot of the map. */

import { formatNumber } from "../../format";
import { findTensor } from "../../graph/shape";
import { plainName, sentence } from "../../layout/plain-names";
import { played, sameCell } from "../../state/explain";
import { phoneView } from "../../state/shell";
import { graph, panel, selected } from "../../state/store";
import { Player } from "../playback/player";
import { choose, useActions } from "../shared/actions";
import { useCellValue } from "../shared/cell-value";
import { emptyWords, placeWords, shortName } from "../shared/cell-words";

export function TapCard() {
  const { map } = useActions();
  const [cell, now] = [selected.value, graph.value];
  const tensor = cell && now ? findTensor(now, cell.tensor) : undefined;
  const held = (cell && map?.valueAt(cell.tensor, cell.index)) ?? null;
  const { value } = useCellValue(cell, held);
  if (!cell || !tensor || phoneView.value !== "map") return null;
  const plays = sameCell(played.value?.cell ?? null, cell);
  return (
    <section class={plays ? "tap-card plays" : "tap-card"} aria-label="The square that was tapped">
      <p>
        <b>{plainName(tensor)}</b> <span class="mono soft">{shortName(tensor)}</span>
      </p>
      {!plays && (
        <>
          <p class="mono">
            {placeWords(tensor, cell.index)} ={" "}
            <b>{value === null ? emptyWords(tensor, cell.index) : formatNumber(value, 4)}</b>
          </p>
          <p class="note">{sentence(tensor)}</p>
        </>
      )}
      <Player cell={cell} />
      {!plays && (
        <div class="row">
          <button
            type="button"
            class="pill"
            onClick={() => {
              panel.value = "inspector";
              phoneView.value = "reading";
            }}
          >
            How it was computed
          </button>
          <button type="button" class="pill" onClick={() => choose(map, null)}>
            Close
          </button>
        </div>
      )}
    </section>
  );
}
