/** One cell, read: its tensor, place and value, and for the chosen one its explanation. */

import { formatCount, formatNumber } from "../../format";
import { findTensor, shapeAt } from "../../graph/shape";
import type { TensorInfo } from "../../graph/types";
import { direction, pin, trail } from "../../state/explain";
import { reading } from "../../state/source";
import { type Cell, graph, hovered, selected } from "../../state/store";
import { Guide } from "../guide/guide";
import { SearchButton } from "../search/search";
import { choose, goTo, useActions } from "../shared/actions";
import { useCellValue } from "../shared/cell-value";
import { emptyWords, tokenAt } from "../shared/cell-words";
import { walkTo } from "./operand-navigation";
import { WalkedCell } from "./walked-card";
import "./explain.css";
import type { Panel } from "../shared/panel";

export const INSPECTOR_PANEL: Panel = { id: "inspector", title: "Inspector", Component: Inspector };

export function Inspector() {
  const { map } = useActions();
  const now = graph.value;
  const cell = selected.value;
  const tensor = now && cell ? findTensor(now, cell.tensor) : undefined;
  if (!cell || !tensor)
    return (
      <>
        <Guide />
        <GoTo />
      </>
    );
  return (
    <section aria-label="Inspector">
      <div class="row">
        <h2>Selected</h2>
        <span class="grow" />
        <button type="button" class="link soft" title="Esc" onClick={() => choose(map, null)}>
          About this map
        </button>
      </div>
      <CellCard cell={cell} tensor={tensor} />
      <GoTo />
    </section>
  );
}

function CellCard({ cell, tensor }: { cell: Cell; tensor: TensorInfo }) {
  return (
    <>
      <div class="mono tensor-name">{tensor.name}</div>
      <div class="mono soft">
        {tensor.role}
        {tensor.layer === null ? "" : ` · block ${tensor.layer}`} · {shapeText(tensor)}
      </div>
      <CellNumbers cell={cell} tensor={tensor} />
      {tensor.same_as && <SameAs tensor={tensor} />}
      <Walk />
    </>
  );
}

/** The chosen cell's explanation, and the way from operand to operand. */
function Walk() {
  const { map } = useActions();
  const path = trail.value;
  if (path.length === 0) return null;
  return (
    <WalkedCell
      path={path}
      way={direction.value}
      go={(cell) => walkTo(map, cell)}
      turn={(way) => {
        direction.value = way;
      }}
    >
      <button type="button" class="pill" title="P" onClick={() => pin(path, direction.value)}>
        Pin
      </button>
    </WalkedCell>
  );
}

/** The indices and the value; the arrow keys move along the last two axes of a chosen cell. */
function CellNumbers({ cell, tensor }: { cell: Cell; tensor: TensorInfo }) {
  const { map } = useActions();
  const held = map?.valueAt(cell.tensor, cell.index) ?? null;
  const { value, approximate, problem } = useCellValue(cell, held);
  const move = (event: KeyboardEvent) => {
    const next = moved(cell, tensor, event.key);
    if (!next) return;
    event.preventDefault();
    hovered.value = null;
    choose(map, next);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of text that takes arrow keys has no element of its own
    <div
      class="cell"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cell
      tabIndex={0}
      aria-label="Cell: the arrow keys move it"
      onKeyDown={move}
    >
      <dl class="mono">
        {tensor.axes.map((axis, at) => (
          <div key={axis}>
            <dt>{axis}</dt>
            <dd>
              {cell.index[at]}
              <span class="soft"> {tokenAt(tensor, at, cell.index[at] ?? 0)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <output class="value mono" aria-live="polite">
        {value === null ? (
          <span class="soft">{problem ?? emptyWords(tensor, cell.index)}</span>
        ) : (
          <>
            {approximate ? "≈ " : "= "}
            {formatNumber(value, approximate ? 3 : 7)}
          </>
        )}
      </output>
    </div>
  );
}

function SameAs({ tensor }: { tensor: TensorInfo }) {
  const { map } = useActions();
  return (
    <p class="soft note">
      The same numbers as{" "}
      <button type="button" class="link mono" onClick={() => goTo(map, tensor.same_as!)}>
        {tensor.same_as}
      </button>
      {tensor.transposed ? ", transposed." : "."}
    </p>
  );
}

/** Any tensor, section or token by name: the way there without a pointer. */
function GoTo() {
  return (
    <div class="go-to">
      <h2 class="heading">Go to</h2>
      <SearchButton class="go-to" title="Find a tensor, a head, a token" />
    </div>
  );
}

function shapeText(tensor: TensorInfo): string {
  return shapeAt(tensor, reading.value.positions).map(formatCount).join(" × ");
}

/** The neighbour of a cell in the direction of an arrow key, kept within the tensor; null for other keys.
 *  The last axis runs with left and right, the one before with up and down. */
export function moved(cell: Cell, tensor: TensorInfo, key: string): Cell | null {
  const steps: Record<string, readonly [number, number]> = {
    ArrowLeft: [1, -1],
    ArrowRight: [1, 1],
    ArrowUp: [2, -1],
    ArrowDown: [2, 1],
  };
  const step = steps[key];
  if (!step) return null;
  const axis = tensor.axes.length - step[0];
  if (axis < 0) return cell;
  const limit = (tensor.shape[axis] ?? 1) - 1;
  const index = cell.index.map((at, of) => (of === axis ? Math.min(limit, Math.max(0, at + step[1])) : at));
  return { tensor: cell.tensor, index };
}
