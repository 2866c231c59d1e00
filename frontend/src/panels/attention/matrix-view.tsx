/** A matrix of tokens against tokens: drawn by the map's own shader, its rows and columns named by their tokens, moved
 *  over by pointer, finger and arrow keys, and enlarged as far as a cell can be read. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { tokenText } from "../../format";
import type { Role } from "../../graph/types";
import type { MatrixPort } from "../../scene/ports";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { cellColour } from "../shared/colour";
import { type Cells, levelFor, type Picture, valueIn } from "./matrix-part";

type Place = readonly [row: number, column: number];

interface Props {
  readonly label: string;
  /** What its rows and its columns are. */
  readonly axes: readonly [rows: string, columns: string];
  /** The texts along both axes; their lengths are the matrix's. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Whose hues it has. */
  readonly hue: Role;
  /** |value| of full colour. */
  readonly full: number;
  /** What has come of the numbers; parts of it that are missing are drawn as not there yet. */
  readonly picture: Picture | null;
  /** The picture is of something else still. */
  readonly stale: boolean;
  /** What is in view, whenever it changes. */
  readonly onView: (cells: Cells, level: number) => void;
  /** The cell that is pointed at elsewhere. */
  readonly linked: Place | null;
  /** The cell that is read until another is pointed out. */
  readonly start?: Place | null;
  readonly onPoint: (cell: Place | null) => void;
  readonly onChoose?: (cell: Place) => void;
  /** A double click. */
  readonly onOpen?: (cell: Place) => void;
  /** What is said of a cell. */
  readonly children: (cell: Place) => ComponentChildren;
}

const LARGEST = 48;
const LABELS = 64;
/** Smaller cells, in pixels, are hard to find: lines lead to them. */
const CROSSED = 10;
const LABEL_HEIGHT = 13;

export function MatrixView(props: Props) {
  const { rows, columns, picture, linked, onPoint, onChoose } = props;
  const { map } = useActions();
  const frame = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useSignal(0);
  const zoom = useSignal<number | null>(null);
  const scroll = useSignal({ left: 0, top: 0 });
  const pointed = useSignal<Place | null>(null);
  const kept = useSignal<Place | null>(null);

  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      room.value = Math.max(0, Math.floor(entry!.contentRect.width) - LABELS - 2);
    });
    watch.observe(frame.current!);
    return () => watch.disconnect();
  }, []);

  const high = Math.min(1.15 * room.value, 0.72 * window.innerHeight);
  const fit = Math.min(LARGEST, room.value / columns.length, high / rows.length);
  const size = Math.max(fit, zoom.value ?? fit);
  const width = Math.min(room.value, size * columns.length);
  const height = Math.min(high, size * rows.length);
  const view: Cells = {
    left: Math.max(0, Math.floor(scroll.value.left / size)),
    top: Math.max(0, Math.floor(scroll.value.top / size)),
    right: Math.min(columns.length, Math.ceil((scroll.value.left + width) / size)),
    bottom: Math.min(rows.length, Math.ceil((scroll.value.top + height) / size)),
  };
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const level = levelFor(size * ratio);
  const seen = `${view.left} ${view.top} ${view.right} ${view.bottom} ${level}`;
  useEffect(() => {
    if (room.value > 0) props.onView(view, level);
  }, [seen, room.value > 0]);

  useLayoutEffect(() => {
    const target = canvas.current;
    if (!target || !picture || width <= 0) return;
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
    const span = 2 ** picture.level;
    const left = (scroll.value.left / size - picture.left) / span;
    const top = (scroll.value.top / size - picture.top) / span;
    draw(map, target, { picture, role: props.hue, full: props.full, size: size * ratio * span, left, top });
  }, [map, picture, props.hue, props.full, size, width, height, ratio, scroll.value, theme.value]);

  // What was pointed out last counts: here by the arrow keys, or elsewhere.
  useLayoutEffect(() => {
    if (linked) kept.value = linked;
  }, [linked?.join(" ")]);

  const clamp = ([row, column]: Place): Place => [
    Math.max(0, Math.min(rows.length - 1, row)),
    Math.max(0, Math.min(columns.length - 1, column)),
  ];
  const cell = clamp(pointed.value ?? kept.value ?? props.start ?? [rows.length - 1, 0]);
  const under = (event: MouseEvent): Place => {
    const bounds = canvas.current!.getBoundingClientRect();
    return clamp([
      Math.floor((event.clientY - bounds.top + scroll.value.top) / size),
      Math.floor((event.clientX - bounds.left + scroll.value.left) / size),
    ]);
  };
  const told = useRef("");
  /** Each cell is told once, however the pointer moves within it. */
  const tell = (next: Place | null) => {
    const key = next?.join(" ") ?? "";
    if (key === told.current) return;
    told.current = key;
    onPoint(next);
  };
  const point = (next: Place | null) => {
    if (next?.join(" ") !== pointed.value?.join(" ")) pointed.value = next;
    tell(next);
  };
  /** Scrolls so that a cell is in view. */
  const show = ([row, column]: Place, at: number) => {
    const box = scroller.current!;
    box.scrollLeft = Math.max((column + 1) * at - width, Math.min(box.scrollLeft, column * at));
    box.scrollTop = Math.max((row + 1) * at - height, Math.min(box.scrollTop, row * at));
  };
  const enlarge = (factor: number, around: Place = cell) => {
    const next = Math.max(fit, Math.min(LARGEST, size * factor));
    zoom.value = next <= fit ? null : next;
    requestAnimationFrame(() => {
      const box = scroller.current;
      if (!box) return;
      box.scrollLeft = (around[1] + 0.5) * next - width / 2;
      box.scrollTop = (around[0] + 0.5) * next - height / 2;
    });
  };
  const press = (event: KeyboardEvent) => {
    const next = moved(cell, event.key, rows.length, columns.length);
    if (next) {
      const to = clamp(next);
      kept.value = to;
      tell(to);
      show(to, size);
    } else if (event.key === "+" || event.key === "=") enlarge(1.6);
    else if (event.key === "-") enlarge(1 / 1.6);
    else if (event.key === "0") zoom.value = null;
    else if (event.key === "Enter" && onChoose) onChoose(cell);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const names = (side: NamesProps["side"]) => {
    const top = side === "top";
    return (
      <Names
        side={side}
        texts={top ? columns : rows}
        first={top ? view.left : view.top}
        last={top ? view.right : view.bottom}
        offset={top ? scroll.value.left : scroll.value.top}
        extent={top ? width : height}
        marked={cell[top ? 1 : 0]}
        size={size}
      />
    );
  };
  return (
    <div ref={frame} class="matrix mono">
      <div class="matrix-head">
        <span class="axes" aria-hidden="true">
          {props.axes[0]} ↓ {props.axes[1]} →
        </span>
        {names("top")}
      </div>
      <div class="matrix-body">
        {names("left")}
        <div
          ref={scroller}
          class={`matrix-scroll${props.stale ? " stale" : ""}`}
          data-shown={picture && !props.stale ? "all" : "some"}
          style={{ width: `${width}px`, height: `${height}px` }}
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cell
          tabIndex={0}
          aria-label={`${props.label}: a row is a ${props.axes[0]}, a column a ${props.axes[1]}. The arrow keys move the cell, plus and minus enlarge, Enter chooses it in the map`}
          onScroll={(event) => {
            const { scrollLeft, scrollTop } = event.currentTarget;
            scroll.value = { left: scrollLeft, top: scrollTop };
          }}
          onPointerMove={(event) => point(under(event))}
          onPointerLeave={() => point(null)}
          onBlur={() => tell(null)}
          onClick={(event) => {
            const at = under(event);
            kept.value = at;
            onChoose?.(at);
          }}
          onDblClick={(event) => props.onOpen?.(under(event))}
          onWheel={(event) => {
            if (!event.ctrlKey && !event.metaKey) return;
            event.preventDefault();
            enlarge(event.deltaY < 0 ? 1.25 : 0.8, under(event));
          }}
          onKeyDown={press}
        >
          <div style={{ width: `${size * columns.length}px`, height: `${size * rows.length}px` }}>
            <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} />
            {size < CROSSED && <i class="across" style={{ top: `${(cell[0] + 0.5) * size}px` }} />}
            {size < CROSSED && <i class="down" style={{ left: `${(cell[1] + 0.5) * size}px` }} />}
            <i
              class="cursor"
              style={{
                left: `${cell[1] * size}px`,
                top: `${cell[0] * size}px`,
                width: `${size}px`,
                height: `${size}px`,
              }}
            />
          </div>
        </div>
      </div>
      <div class="matrix-foot">
        <output class="readout" aria-live="polite">
          {props.children(cell)}
        </output>
        <span class="zoom">
          <button
            type="button"
            class="link"
            aria-label="Smaller cells"
            disabled={size <= fit}
            onClick={() => enlarge(1 / 1.6)}
          >
            −
          </button>
          <button
            type="button"
            class="link"
            aria-label="Larger cells"
            disabled={size >= LARGEST}
            onClick={() => enlarge(1.6)}
          >
            +
          </button>
          <button
            type="button"
            class="link"
            disabled={size <= fit}
            onClick={() => {
              zoom.value = null;
            }}
          >
            all
          </button>
        </span>
      </div>
    </div>
  );
}

interface Drawn {
  readonly picture: Picture;
  readonly role: Role;
  readonly full: number;
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

/** By the map's shader; without a map, cell by cell in the same colours. */
function draw(map: MatrixPort | null, target: HTMLCanvasElement, drawn: Drawn): void {
  const { picture, role, full, size, left, top } = drawn;
  if (map?.drawMatrix(target, { ...picture, role, full, size, left, top })) return;
  const pen = target.getContext("2d");
  if (!pen) return;
  const whole = { ...picture, level: 0, top: 0, left: 0 };
  for (let row = 0; row < picture.rows; row++)
    for (let column = 0; column < picture.columns; column++) {
      const value = valueIn(whole, row, column);
      if (value === null) continue;
      pen.fillStyle = cellColour(theme.value, role, value, full);
      pen.fillRect((column - left) * size, (row - top) * size, size, size);
    }
}

interface NamesProps {
  readonly texts: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly size: number;
  readonly offset: number;
  readonly extent: number;
  readonly marked: number;
  readonly side: "top" | "left";
}

/** The tokens along one axis; where there is no room for each, every so many, and the one marked. */
function Names({ texts, first, last, size, offset, extent, marked, side }: NamesProps) {
  const every = Math.max(1, Math.ceil(LABEL_HEIGHT / size));
  const middle = (at: number) => Math.max(6, Math.min(extent - 6, (at + 0.5) * size - offset));
  const apart = (a: number, b: number) => Math.abs(middle(a) - middle(b)) >= LABEL_HEIGHT - 1;
  const shown: number[] = marked >= first && marked < last ? [marked] : [];
  for (let at = first; at < last; at++)
    if (
      at % every === 0 &&
      at !== marked &&
      [shown[0], shown.at(-1)].every((one) => one === undefined || apart(at, one))
    )
      shown.push(at);
  return (
    <div
      class={`labels ${side}`}
      style={{ [side === "top" ? "width" : "height"]: `${extent}px` }}
      aria-hidden="true"
    >
      {shown.map((at) => (
        <span
          key={at}
          class={at === marked ? "on" : undefined}
          style={{ [side === "top" ? "left" : "top"]: `${middle(at)}px` }}
        >
          {every > 1 && <small>{at} </small>}
          {tokenText(texts[at] ?? "")}
        </span>
      ))}
    </div>
  );
}

function moved([row, column]: Place, key: string, rows: number, columns: number): Place | null {
  switch (key) {
    case "ArrowLeft":
      return [row, column - 1];
    case "ArrowRight":
      return [row, column + 1];
    case "ArrowUp":
      return [row - 1, column];
    case "ArrowDown":
      return [row + 1, column];
    case "Home":
      return [row, 0];
    case "End":
      return [row, columns - 1];
    case "PageUp":
      return [row - Math.ceil(rows / 10), column];
    case "PageDown":
      return [row + Math.ceil(rows / 10), column];
    default:
      return null;
  }
}
