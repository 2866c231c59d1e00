/** What every explained cell has, in the inspector and on pinned cards: the way it was come to, where it is, its
 *  explanation, and what can be done with it. */

import type { ComponentChildren } from "preact";
import { findTensor } from "../../graph/shape";
import { knownExplanation } from "../../session/explanations";
import type { Direction } from "../../state/explain";
import { type Cell, graph } from "../../state/store";
import { Player } from "../playback/player";
import { useActions } from "../shared/actions";
import { useCellValue } from "../shared/cell-value";
import { shortLabel, tokenAt } from "../shared/cell-words";
import { useExplanation } from "../shared/use-explanation";
import { CopyAs } from "./copy-as";
import { Explanation } from "./explanation";
import { cellBefore } from "./operand-navigation";

interface Props {
  readonly path: readonly Cell[];
  readonly way: Direction;
  readonly go: (cell: Cell) => void;
  readonly turn: (way: Direction) => void;
  readonly children?: ComponentChildren;
}

export function WalkedCell({ path, way, go, turn, children }: Props) {
  const { map } = useActions();
  const cell = path.at(-1)!;
  const held = map?.valueAt(cell.tensor, cell.index) ?? null;
  const { value } = useCellValue(cell, held);
  return (
    <>
      <Trail path={path} go={go} />
      <div class="row wrap steps">
        <button type="button" class="pill" disabled={path.length < 2} onClick={() => go(path.at(-2)!)}>
          Back
        </button>
        <FollowButton cell={cell} go={go} />
        {children}
      </div>
      <Explanation cell={cell} way={way} go={go} turn={turn} />
      {way === "backward" && <Player cell={cell} />}
      <CopyAs cell={cell} value={value} />
    </>
  );
}

/** One step on along the first operand: from a logit it leads down to the token's embedding. */
function FollowButton({ cell, go }: { cell: Cell; go: (cell: Cell) => void }) {
  const { answer } = useExplanation(cell, "backward");
  const next = answer && cellBefore(answer);
  const info = next && graph.value && findTensor(graph.value, next.tensor);
  return (
    <button
      type="button"
      class="pill"
      data-follow
      disabled={!next}
      title="Follow the number back to its first operand"
      onClick={() => next && go(next)}
    >
      Follow{info ? ` to ${shortLabel(info)}` : ""}
    </button>
  );
}

/** The cell that following leads to, if its explanation is here. */
export function followed(cell: Cell): Cell | null {
  const answer = knownExplanation(cell, "backward");
  return answer ? cellBefore(answer) : null;
}

const SHOWN = 4;

function Trail({ path, go }: { path: readonly Cell[]; go: (cell: Cell) => void }) {
  if (path.length < 2) return null;
  const hidden = Math.max(0, path.length - SHOWN);
  return (
    <nav aria-label="The way here">
      <ol class="trail mono">
        {hidden > 0 && (
          <li>
            <button type="button" class="link soft" title="To the start" onClick={() => go(path[0]!)}>
              {hidden} before
            </button>
          </li>
        )}
        {path.slice(hidden).map((cell, at, all) => (
          <li key={`${cell.tensor} ${cell.index}`}>
            {at < all.length - 1 ? (
              <button type="button" class="link" onClick={() => go(cell)}>
                <CellName cell={cell} />
              </button>
            ) : (
              <span aria-current="step">
                <CellName cell={cell} />
              </span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

export function CellName({ cell }: { cell: Cell }) {
  const info = graph.value && findTensor(graph.value, cell.tensor);
  return (
    <>
      {info ? shortLabel(info) : cell.tensor}[{cell.index.join(", ")}]
    </>
  );
}

/** `pos 3 “B” · head 0`, on lines of their own. */
export function CellPlace({ cell }: { cell: Cell }) {
  const info = graph.value && findTensor(graph.value, cell.tensor);
  if (!info) return null;
  return (
    <p class="mono soft place">
      {info.axes
        .map((axis, at) => `${axis} ${cell.index[at]} ${tokenAt(info, at, cell.index[at] ?? 0)}`.trim())
        .join(" · ")}
    </p>
  );
}
