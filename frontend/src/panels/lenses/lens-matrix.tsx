/** A heat map in the dock: cells of the page's own colours with labels that stay in view, read by pointer and by
 *  keyboard, and linked cell by cell with the map. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { formatNumber } from "../../format";
import type { LensTable } from "../../net/lenses";
import type { Figure } from "../../net/rest";
import { useActions } from "../shared/actions";
import { pointAt, rowOfPoint, type Trace } from "../shared/figure-parts";
import { boxOf, gridOf, type Matrix, matrixOf, namesOf, plain, unitAt, unitsOf } from "../shared/matrix-grid";
import { cellAfter, type Place, reveal } from "../shared/matrix-moves";
import { gradient } from "../shared/matrix-paint";
import { useSize } from "../shared/use-size";
import { ZoomButtons } from "../shared/zoom-buttons";
import { chosenRow, point, visit } from "./lens-link";
import { usePaintedMatrix } from "./use-painted-matrix";

const MOST_HEIGHT = 560;
const ZOOM = { step: 1.4, most: 8, least: 0.4 } as const;

interface Props {
  readonly figure: Figure;
  readonly table: LensTable | null;
  readonly title: string;
}

export function LensMatrix({ figure, table, title }: Props) {
  const { map } = useActions();
  const data = figure.data as readonly Trace[];
  const matrix = useMemo(() => matrixOf(data[0]!, figure.layout), [figure]);
  const zoom = useSignal(1);
  const cursor = useSignal<Place | null>(null);
  /** The pointer's place in the window; null when the cursor was moved by a key. */
  const pointer = useSignal<{ x: number; y: number } | null>(null);
  const said = useSignal("");
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useSize(scroller).value.width;
  const grid = gridOf(matrix, room || 320, zoom.value);
  const chosen = chosenRow(table?.places);
  const marked = chosen === null ? undefined : pointAt(data, chosen);
  const { stops, repaint } = usePaintedMatrix(scroller, canvas, {
    trace: data[0]!,
    matrix,
    grid,
    chosen: marked ? (marked.at as Place) : null,
    cursor: cursor.value,
  });
  // A text is read at its end: there stands what the model goes on from.
  const along = alongText(figure);
  useLayoutEffect(() => {
    const place = scroller.current;
    if (place && along && room > 0) place.scrollLeft = place.scrollWidth;
  }, [matrix, along, room > 0]);
  const placeOf = (unit: Place | null) => {
    const row = unit === null ? undefined : rowOfPoint(data, 0, unit);
    return row === undefined ? null : table?.places[row];
  };
  const to = (unit: Place | null) => {
    if (unit?.[0] === cursor.value?.[0] && unit?.[1] === cursor.value?.[1]) return;
    cursor.value = unit;
    point(placeOf(unit));
  };
  const show = (unit: Place) => {
    said.value = visit(map, placeOf(unit)) ? "" : "The map does not draw this.";
  };
  const enlarge = (by: number) => {
    zoom.value = Math.max(ZOOM.least, Math.min(ZOOM.most, zoom.value * by));
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "+" || event.key === "-") enlarge(event.key === "+" ? ZOOM.step : 1 / ZOOM.step);
    else if (event.key === "Enter" && cursor.value) show(cursor.value);
    else {
      const next = cellAfter(event.key, cursor.value ?? [0, -1], unitsOf(matrix));
      if (!next) return;
      pointer.value = null;
      to(next);
      reveal(scroller.current!, boxOf(matrix, grid, next), grid, 2);
    }
    event.preventDefault();
  };
  const under = (event: PointerEvent | MouseEvent): Place | null => {
    const bounds = scroller.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    if (x < grid.left || y < grid.top) return null;
    return unitAt(matrix, grid, x + scroller.current!.scrollLeft, y + scroller.current!.scrollTop);
  };
  const words = cursor.value ? wordsOf(data[0]!, matrix, cursor.value) : [];
  const shape = `${matrix.rowLabels.length} rows (${matrix.down}) and ${matrix.columnLabels.length} columns (${matrix.across})`;
  return (
    <div>
      <Key matrix={matrix} unit={data[0]!.meta?.unit} ramp={stops ? gradient(stops) : "none"}>
        <ZoomButtons step={ZOOM.step} onZoom={enlarge} />
      </Key>
      <div
        ref={scroller}
        class="matrix-window"
        style={{
          height: `${Math.min(MOST_HEIGHT, Math.ceil(grid.height) + (grid.width > room ? 14 : 0))}px`,
        }}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cell
        tabIndex={0}
        aria-label={`${title}: ${shape}; the arrow keys move the cell, Enter shows it in the map, plus and minus change the size. The table has the numbers.`}
        onScroll={repaint}
        onPointerMove={(event) => {
          pointer.value = { x: event.clientX, y: event.clientY };
          to(under(event));
        }}
        onPointerLeave={() => to(null)}
        onBlur={() => to(null)}
        onClick={(event) => {
          const unit = under(event);
          if (unit) show(unit);
        }}
        onKeyDown={keys}
      >
        <div class="matrix-room" style={{ width: `${grid.width}px`, height: `${grid.height}px` }}>
          <canvas ref={canvas} />
        </div>
      </div>
      <div class="unseen" aria-live="polite">
        {pointer.value === null ? words.join(", ") : ""}
      </div>
      {cursor.value && words.length > 0 && (
        <Tip
          words={words}
          at={pointer.value ?? besideCell(scroller.current!, boxOf(matrix, grid, cursor.value))}
        />
      )}
      {said.value && (
        <p class="note soft" role="status">
          {said.value}
        </p>
      )}
    </div>
  );
}

interface KeyProps {
  readonly matrix: Matrix;
  readonly unit: string | undefined;
  /** The colours from the lowest number to the highest, as CSS. */
  readonly ramp: string;
  readonly children: ComponentChildren;
}

/** The line over the cells: what rows and columns are, and which colour is which number. */
function Key({ matrix: { down, across, low, high }, unit, ramp, children }: KeyProps) {
  return (
    <div class="matrix-key mono note">
      <span>{down === across ? `↓→ ${down}` : `↓ ${down} → ${across}`}</span>
      <span class="grow" />
      <span>{formatNumber(low, 3)}</span>
      <i class="ramp" style={{ background: ramp }} />
      <span>
        {formatNumber(high, 3)} {unit}
      </span>
      {children}
    </div>
  );
}

/** Puts a unit into words: where it is, its number, and what the figure has to say of it. */
function wordsOf(trace: Trace, matrix: Matrix, unit: Place): readonly string[] {
  const [row, column] = namesOf(matrix, unit);
  const where = `${matrix.down} ${row} · ${matrix.across} ${column}`;
  if (matrix.unit[0] > 1) return [where];
  const value = matrix.values[unit[0]]?.[unit[1]] ?? null;
  const number =
    value === null ? "nothing: masked" : `${formatNumber(value)} ${trace.meta?.unit ?? ""}`.trim();
  const notes = (trace.customdata as readonly (readonly string[])[] | undefined)?.[unit[0]]?.[unit[1]];
  const text = matrix.texts?.[unit[0]]?.[unit[1]];
  const said = notes?.split("<br>").map(plain) ?? (text === undefined ? [] : [text]);
  return [where, number, ...said];
}

/** A note beside the pointer, within the window. */
function Tip({ words, at }: { words: readonly string[]; at: { x: number; y: number } }) {
  const right = at.x > window.innerWidth / 2;
  const low = at.y > window.innerHeight / 2;
  return (
    <div
      class="matrix-tip mono"
      aria-hidden="true"
      style={{
        ...(right ? { right: `${window.innerWidth - at.x + 12}px` } : { left: `${at.x + 12}px` }),
        ...(low ? { bottom: `${window.innerHeight - at.y + 12}px` } : { top: `${at.y + 12}px` }),
      }}
    >
      {words.map((line, number) => (
        <div key={number} class={number === 1 ? "tip-value" : undefined}>
          {line}
        </div>
      ))}
    </div>
  );
}

/** Tells whether the columns are a text's tokens, after which something comes. */
function alongText({ layout }: Figure): boolean {
  const axis = layout.xaxis as { title?: { text?: string } | string } | undefined;
  const title = typeof axis?.title === "string" ? axis.title : axis?.title?.text;
  return title === "after" || title === "at";
}

function besideCell(scroller: HTMLElement, box: ReturnType<typeof boxOf>) {
  const bounds = scroller.getBoundingClientRect();
  return {
    x: bounds.left + box.x + box.width / 2 - scroller.scrollLeft,
    y: bounds.top + box.y + box.height / 2 - scroller.scrollTop,
  };
}
