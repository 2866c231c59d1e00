/** A heat map in the dock: cells of the page's own colours with labels that stay in view, read by pointer and by
 *  keyboard, and linked cell by cell with the map. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { formatNumber } from "../../format";
import type { LensTable } from "../../net/lenses";
import type { Figure } from "../../net/rest";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { coloursOf, pointAt, rowOfPoint, type Trace } from "../shared/figure-parts";
import {
  boxOf,
  type Grid,
  gridOf,
  type Matrix,
  matrixOf,
  namesOf,
  plain,
  stepped,
  unitAt,
} from "../shared/matrix-grid";
import { cellsOf, gradient, paint, stopsOf } from "../shared/matrix-paint";
import { chosenRow, point, visit } from "./lens-link";

const MOST_HEIGHT = 560;
const ZOOM = { step: 1.4, most: 8, least: 0.4 } as const;

interface Props {
  readonly figure: Figure;
  readonly table: LensTable | null;
  readonly title: string;
}

type Unit = readonly [row: number, column: number];

export function LensMatrix({ figure, table, title }: Props) {
  const { map } = useActions();
  const data = figure.data as readonly Trace[];
  const matrix = useMemo(() => matrixOf(data[0]!, figure.layout), [figure]);
  const zoom = useSignal(1);
  const room = useSignal(0);
  const cursor = useSignal<Unit | null>(null);
  /** Where the pointer is in the window; null when the cursor was moved by a key. */
  const pointer = useSignal<{ x: number; y: number } | null>(null);
  const said = useSignal("");
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const grid = gridOf(matrix, room.value || 320, zoom.value);
  const chosen = chosenRow(table?.places);
  const marked = chosen === null ? undefined : pointAt(data, chosen);
  const stops = canvas.current ? stopsOf(data[0]!.meta?.scale, coloursOf(canvas.current)) : null;
  const colours = theme.value;
  const cells = useMemo(() => (stops ? cellsOf(matrix, stops) : null), [matrix, colours, stops !== null]);
  // A text is read at its end: there stands what the model goes on from.
  const along = alongText(figure);
  useLayoutEffect(() => {
    const place = scroller.current;
    if (place && along && room.value > 0) place.scrollLeft = place.scrollWidth;
  }, [matrix, along, room.value > 0]);
  const redraw = () => {
    const [place, target] = [scroller.current, canvas.current];
    if (!place || !target || !cells || !stops) return;
    const now = {
      width: place.clientWidth,
      height: place.clientHeight,
      x: place.scrollLeft,
      y: place.scrollTop,
    };
    const context = sized(target, now.width, now.height);
    const chosenUnit = marked ? (marked.at as Unit) : null;
    paint(context, now, {
      matrix,
      grid,
      stops,
      cells,
      colours: coloursOf(target),
      chosen: chosenUnit,
      cursor: cursor.value,
    });
  };
  const latest = useRef(redraw);
  latest.current = redraw;
  useEffect(() => {
    const place = scroller.current!;
    const sizes = new ResizeObserver(() => {
      room.value = place.clientWidth;
      latest.current();
    });
    sizes.observe(place);
    room.value = place.clientWidth;
    return () => sizes.disconnect();
  }, []);
  useEffect(redraw);
  const rowOf = (unit: Unit | null) => (unit === null ? undefined : rowOfPoint(data, 0, unit));
  const placeOf = (unit: Unit | null) => {
    const row = rowOf(unit);
    return row === undefined ? null : table?.places[row];
  };
  const to = (unit: Unit | null) => {
    if (unit?.[0] === cursor.value?.[0] && unit?.[1] === cursor.value?.[1]) return;
    cursor.value = unit;
    point(placeOf(unit));
  };
  const show = (unit: Unit) => {
    const there = visit(map, placeOf(unit));
    said.value = there ? "" : "The map does not draw this.";
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "+" || event.key === "-") larger(event.key === "+" ? ZOOM.step : 1 / ZOOM.step);
    else if (event.key === "Enter" && cursor.value) show(cursor.value);
    else {
      const next = stepped(matrix, cursor.value ?? [0, -1], event.key);
      if (!next) return;
      pointer.value = null;
      to(next);
      reveal(scroller.current!, matrix, grid, next);
    }
    event.preventDefault();
  };
  const larger = (by: number) => {
    zoom.value = Math.max(ZOOM.least, Math.min(ZOOM.most, zoom.value * by));
  };
  const under = (event: PointerEvent | MouseEvent): Unit | null => {
    const bounds = scroller.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    if (x < grid.left || y < grid.top) return null;
    return unitAt(matrix, grid, x + scroller.current!.scrollLeft, y + scroller.current!.scrollTop);
  };
  const words = cursor.value ? wordsOf(data[0]!, matrix, cursor.value) : [];
  const shape = `${matrix.rowLabels.length} rows (${matrix.down}) and ${matrix.columnLabels.length} columns (${matrix.across})`;
  return (
    <div>
      <div class="matrix-key mono note">
        <span>
          {matrix.down === matrix.across ? `↓→ ${matrix.down}` : `↓ ${matrix.down} → ${matrix.across}`}
        </span>
        <span class="grow" />
        <span>{formatNumber(matrix.low, 3)}</span>
        <i class="ramp" style={{ background: stops ? gradient(stops) : "none" }} />
        <span>
          {formatNumber(matrix.high, 3)} {data[0]!.meta?.unit}
        </span>
        <button type="button" class="link" aria-label="Smaller cells" onClick={() => larger(1 / ZOOM.step)}>
          −
        </button>
        <button type="button" class="link" aria-label="Larger cells" onClick={() => larger(ZOOM.step)}>
          +
        </button>
      </div>
      <div
        ref={scroller}
        class="matrix-window"
        style={{
          height: `${Math.min(MOST_HEIGHT, Math.ceil(grid.height) + (grid.width > room.value ? 14 : 0))}px`,
        }}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cell
        tabIndex={0}
        aria-label={`${title}: ${shape}; the arrow keys move the cell, Enter shows it in the map, plus and minus change the size. The table has the numbers.`}
        onScroll={redraw}
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

/** A canvas of so many CSS pixels, sharp on this screen. */
function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const sharp = Math.min(3, window.devicePixelRatio);
  const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  return context;
}

/** What a unit says: where it is, its number, and what the figure has to say of it. */
function wordsOf(trace: Trace, matrix: Matrix, unit: Unit): readonly string[] {
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

/** Whether the columns are a text's tokens, after which something comes. */
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

/** Scrolls a unit into view, beside the labels. */
function reveal(scroller: HTMLElement, matrix: Matrix, grid: Grid, unit: Unit): void {
  const box = boxOf(matrix, grid, unit);
  const along = (now: number, from: number, size: number, labels: number, length: number) =>
    from - now < labels ? from - labels : from + size - now > length ? from + size - length + 2 : now;
  scroller.scrollLeft = along(scroller.scrollLeft, box.x, box.width, grid.left, scroller.clientWidth);
  scroller.scrollTop = along(scroller.scrollTop, box.y, box.height, grid.top, scroller.clientHeight);
}
