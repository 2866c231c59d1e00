/** The numbers of one tensor, or of one head of it, as a table that the arrow keys walk: a window of rows and columns
 *  around the chosen cell, in full precision. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { formatCount, formatNumber } from "../../format";
import { type Leaf, tableAxes, tableCell, tableSize } from "../../layout/outline";
import { sentence } from "../../layout/plain-names";
import { comparison, hueOf } from "../../state/difference";
import { ownScaleOf } from "../../state/scales";
import { sourceOf } from "../../state/source";
import { type Cell, graph, hovered, panel, rowsTaken } from "../../state/store";
import { theme } from "../../theme";
import { choose, useActions } from "../shared/actions";
import { maskWords, placeWords, shortName, tokenAt } from "../shared/cell-words";
import { cellColour } from "../shared/colour";
import { useAnswer } from "../shared/use-lens";

const ROWS = 12;
const COLUMNS = 4;

interface Window {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly rows: number;
  readonly columns: number;
}

interface Props {
  readonly cell: Cell;
  readonly leaf: Leaf;
}

export function OutlineTable({ cell, leaf }: Props) {
  const { map } = useActions();
  const body = useRef<HTMLTableElement>(null);
  const mustFocus = useRef(false);
  const axes = tableAxes(leaf);
  const size = tableSize(leaf);
  const at = { row: cell.index[axes.row] ?? 0, column: cell.index[axes.column] ?? 0 };
  const part = windowAt(at, size);
  const { values, problem } = useWindow(leaf, part);
  // Before the next key comes, or it would be pressed on the cell left behind.
  useLayoutEffect(() => {
    if (mustFocus.current) body.current?.querySelector<HTMLElement>("td[tabindex='0']")?.focus();
    mustFocus.current = false;
  }, [cell]);
  const go = (row: number, column: number) => {
    hovered.value = null;
    mustFocus.current = true;
    choose(map, tableCell(leaf, row, column));
  };
  const press = (event: KeyboardEvent) => {
    if (event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Enter") panel.value = "inspector";
    const next = moved(event.key, event.ctrlKey, at, size);
    if (!next && event.key !== "Enter") return;
    event.preventDefault();
    if (next) go(next.row, next.column);
  };
  const { tensor, head } = leaf;
  const name = `${shortName(tensor)}${head ? `, ${tensor.axes[head.axis]} ${head.index}` : ""}`;
  const reaches = at.row < size.rows && at.column < size.columns;
  return (
    <div class="outline-table">
      <h3>
        {name} <span class="soft mono">{tensor.name}</span>
      </h3>
      <p class="note">{sentence(tensor)}</p>
      {comparison.value && tensor.role !== "weight" && (
        <p class="soft note">These are the run's own numbers; the map shows differences.</p>
      )}
      {problem && <p class="problem">{problem}</p>}
      {reaches ? (
        <table
          ref={body}
          class="mono"
          // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table that arrow keys walk is a grid
          role="grid"
          aria-label={`Numbers of ${name}`}
          aria-rowcount={size.rows + 1}
          aria-colcount={size.columns + 1}
          onKeyDown={press}
        >
          <Head leaf={leaf} part={part} />
          <tbody>
            {count(part.firstRow, part.rows).map((row) => (
              <tr key={row} aria-rowindex={row + 2}>
                <th scope="row" aria-colindex={1}>
                  {indexWords(leaf, axes.row, row)}
                </th>
                {count(part.firstColumn, part.columns).map((column) => (
                  <NumberCell
                    key={column}
                    leaf={leaf}
                    row={row}
                    column={column}
                    value={values?.[(row - part.firstRow) * part.columns + column - part.firstColumn]}
                    isChosen={row === at.row && column === at.column}
                    choose={() => go(row, column)}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p class="soft note">The text has not come as far as this position.</p>
      )}
      <p class="soft note">
        Rows {range(part.firstRow, part.rows, size.rows)}, columns{" "}
        {range(part.firstColumn, part.columns, size.columns)}. Arrow keys move, Enter explains the number.
      </p>
    </div>
  );
}

function Head({ leaf, part }: { readonly leaf: Leaf; readonly part: Window }) {
  const { row, column } = tableAxes(leaf);
  const name = (axis: number) => leaf.tensor.axes[axis] ?? "";
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col" class="soft" aria-colindex={1}>
          {[name(row), name(column)].filter((axis) => axis !== "").join(" \\ ")}
        </th>
        {count(part.firstColumn, part.columns).map((at) => (
          <th key={at} scope="col" aria-colindex={at + 2}>
            {indexWords(leaf, column, at)}
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface NumberProps {
  readonly leaf: Leaf;
  readonly row: number;
  readonly column: number;
  /** Undefined while it is not here. */
  readonly value: number | undefined;
  readonly isChosen: boolean;
  readonly choose: () => void;
}

function NumberCell({ leaf, row, column, value, isChosen, choose: pick }: NumberProps) {
  const { map } = useActions();
  const { tensor } = leaf;
  const { index } = tableCell(leaf, row, column);
  const held = comparison.value ? undefined : map?.valueAt(tensor.name, index);
  const masked = graph.value && maskWords(graph.value, { tensor: tensor.name, index });
  const shown = value ?? held;
  const words = masked
    ? "masked"
    : value !== undefined
      ? formatNumber(value)
      : held !== undefined
        ? `≈ ${formatNumber(held, 3)}`
        : sourceOf(tensor.name)
          ? "…"
          : "not yet";
  const colour =
    shown === undefined || masked
      ? undefined
      : cellColour(theme.value, hueOf(tensor.role), shown, ownScaleOf(tensor));
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it takes the keys
    <td
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a cell of a grid takes the focus
      role="gridcell"
      tabIndex={isChosen ? 0 : -1}
      aria-selected={isChosen}
      aria-colindex={column + 2}
      title={[placeWords(tensor, index), masked].filter(Boolean).join(". ")}
      class={isChosen ? "on" : undefined}
      onClick={pick}
    >
      <i aria-hidden="true" class={masked ? "masked" : undefined} style={{ background: colour }} />
      {words}
    </td>
  );
}

/** The numbers of a window, its columns running fastest; null while they are on their way. */
function useWindow(
  leaf: Leaf,
  part: Window,
): { readonly values: Float32Array | null; readonly problem: string | null } {
  const { tensor } = leaf;
  const source = sourceOf(tensor.name);
  const start = tableCell(leaf, part.firstRow, part.firstColumn).index;
  const end = tableCell(leaf, part.firstRow + part.rows - 1, part.firstColumn + part.columns - 1).index;
  const stop = end.map((at) => at + 1);
  const isEmpty = part.rows < 1 || part.columns < 1;
  const of = `${source?.keyOf(tensor)} ${tensor.name} ${start.join(" ")} ${stop.join(" ")}`;
  // Rows that come while a text is written make a window that was cut short longer.
  const key =
    source && !isEmpty ? `${of} ${tensor.role === "weight" ? "" : rowsTaken(tensor.name).value}` : null;
  const { value, problem } = useAnswer(key, async (signal) => ({
    of,
    values: (await source!.cells(tensor.name, start, stop, signal)).values,
  }));
  const isThis = source && value?.of === of;
  return {
    values: isThis ? value.values : null,
    problem: problem ? `${problem.message} ${problem.hint}` : null,
  };
}

interface Place {
  readonly row: number;
  readonly column: number;
}
interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** The window that holds a cell: windows lie side by side, so that it stands still while the cell moves within. */
export function windowAt({ row, column }: Place, size: Size): Window {
  const firstRow = row - (row % ROWS);
  const firstColumn = column - (column % COLUMNS);
  return {
    firstRow,
    firstColumn,
    rows: Math.max(0, Math.min(ROWS, size.rows - firstRow)),
    columns: Math.max(0, Math.min(COLUMNS, size.columns - firstColumn)),
  };
}

/** Moves by a key within the table; null for other keys. */
export function moved(key: string, whole: boolean, { row, column }: Place, size: Size): Place | null {
  const [lastRow, lastColumn] = [size.rows - 1, size.columns - 1];
  const places: Readonly<Record<string, Place>> = {
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    PageUp: { row: row - ROWS, column },
    PageDown: { row: row + ROWS, column },
    Home: { row: whole ? 0 : row, column: 0 },
    End: { row: whole ? lastRow : row, column: lastColumn },
  };
  const next = places[key];
  if (!next) return null;
  const within = (at: number, last: number) => Math.max(0, Math.min(last, at));
  return { row: within(next.row, lastRow), column: within(next.column, lastColumn) };
}

const count = (first: number, length: number) => Array.from({ length }, (_, i) => first + i);

/** An index with its token; the one row of a vector is called by what it holds. */
function indexWords({ tensor }: Leaf, axis: number, at: number): string {
  if (axis < 0) return "value";
  return [at, tokenAt(tensor, axis, at)].filter((it) => it !== "").join(" ");
}

const range = (first: number, length: number, all: number) =>
  length === 0 ? "none" : `${formatCount(first)}–${formatCount(first + length - 1)} of ${formatCount(all)}`;
