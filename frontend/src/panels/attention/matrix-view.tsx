/** A matrix of tokens against tokens: drawn by the map's own shader, its rows and columns named by their tokens, moved
 *  over by pointer, finger and arrow keys, and enlarged as far as a cell can be read. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Role } from "../../graph/types";
import { type Place, within } from "../shared/matrix-moves";
import { ZoomButtons } from "../shared/zoom-buttons";
import { MatrixNames } from "./matrix-names";
import type { Cells, Picture } from "./matrix-part";
import { useMatrixPicture } from "./use-matrix-picture";
import { useRovingCell } from "./use-roving-cell";
import { useViewport } from "./use-viewport";

interface Props {
  readonly label: string;
  /** The words for a row and for a column. */
  readonly axes: readonly [rows: string, columns: string];
  /** The texts along both axes; their lengths are the matrix's. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** The role whose hues it has. */
  readonly hue: Role;
  /** |value| of full colour. */
  readonly full: number;
  /** The numbers that have come; missing parts are drawn as not there yet. */
  readonly picture: Picture | null;
  /** The picture is of something else still. */
  readonly stale: boolean;
  /** Called with the part in view whenever it changes. */
  readonly onView: (cells: Cells, level: number) => void;
  /** The cell that is pointed at elsewhere. */
  readonly linked: Place | null;
  /** The cell that is read until another is pointed out. */
  readonly start?: Place | null;
  readonly onPoint: (cell: Place | null) => void;
  readonly onChoose?: (cell: Place) => void;
  /** A double click. */
  readonly onOpen?: (cell: Place) => void;
  /** Puts a cell into words. */
  readonly children: (cell: Place) => ComponentChildren;
}

const ZOOM_STEP = 1.6;
/** Smaller cells, in pixels, are hard to find: lines lead to them. */
const CROSSED = 10;

export function MatrixView(props: Props) {
  const { rows, columns, picture, onChoose, stale } = props;
  const frame = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const count: Place = [rows.length, columns.length];
  const view = useViewport(count, frame, scroller);
  const { size, width, height, cells, level, scroll } = view;
  const roving = useRovingCell({
    size: count,
    linked: props.linked,
    start: props.start ?? null,
    onPoint: props.onPoint,
  });
  const { cell } = roving;
  useMatrixPicture(canvas, view, picture, props.hue, props.full);
  useEffect(() => {
    if (view.isMeasured) props.onView(cells, level);
  }, [cells.left, cells.top, cells.right, cells.bottom, level, view.isMeasured]);

  const under = (event: MouseEvent): Place => {
    const bounds = canvas.current!.getBoundingClientRect();
    const row = Math.floor((event.clientY - bounds.top + scroll.top) / size);
    return within([row, Math.floor((event.clientX - bounds.left + scroll.left) / size)], count);
  };
  const press = (event: KeyboardEvent) => {
    const to = roving.move(event.key);
    if (to) view.reveal(to);
    else if (event.key === "+" || event.key === "=") view.enlarge(ZOOM_STEP, cell);
    else if (event.key === "-") view.enlarge(1 / ZOOM_STEP, cell);
    else if (event.key === "0") view.showAll();
    else if (event.key === "Enter" && onChoose) onChoose(cell);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={frame} class="matrix mono">
      <div class="matrix-head">
        <span class="axes" aria-hidden="true">
          {props.axes[0]} ↓ {props.axes[1]} →
        </span>
        <MatrixNames
          side="top"
          texts={columns}
          first={cells.left}
          last={cells.right}
          offset={scroll.left}
          extent={width}
          marked={cell[1]}
          size={size}
        />
      </div>
      <div class="matrix-body">
        <MatrixNames
          side="left"
          texts={rows}
          first={cells.top}
          last={cells.bottom}
          offset={scroll.top}
          extent={height}
          marked={cell[0]}
          size={size}
        />
        <div
          ref={scroller}
          class={`matrix-scroll${stale ? " stale" : ""}`}
          data-shown={picture && !stale ? "all" : "some"}
          style={{ width: `${width}px`, height: `${height}px` }}
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cell
          tabIndex={0}
          aria-label={`${props.label}: a row is a ${props.axes[0]}, a column a ${props.axes[1]}. The arrow keys move the cell, plus and minus enlarge, Enter chooses it in the map`}
          onScroll={view.onScroll}
          onPointerMove={(event) => roving.point(under(event))}
          onPointerLeave={() => roving.point(null)}
          onBlur={roving.leave}
          onClick={(event) => {
            const at = under(event);
            roving.keep(at);
            onChoose?.(at);
          }}
          onDblClick={(event) => props.onOpen?.(under(event))}
          onWheel={(event) => {
            if (!event.ctrlKey && !event.metaKey) return;
            event.preventDefault();
            view.enlarge(event.deltaY < 0 ? 1.25 : 0.8, under(event));
          }}
          onKeyDown={press}
        >
          <div style={{ width: `${size * columns.length}px`, height: `${size * rows.length}px` }}>
            <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} />
            <Cursor cell={cell} size={size} />
          </div>
        </div>
      </div>
      <div class="matrix-foot">
        <output class="readout" aria-live="polite">
          {props.children(cell)}
        </output>
        <span class="zoom">
          <ZoomButtons
            step={ZOOM_STEP}
            isLeast={size <= view.fit}
            isMost={view.isLargest}
            onZoom={(factor) => view.enlarge(factor, cell)}
          />
          <button type="button" class="link" disabled={size <= view.fit} onClick={view.showAll}>
            all
          </button>
        </span>
      </div>
    </div>
  );
}

/** The frame of the cell that is read, `size` CSS pixels wide, and lines that lead to a small one. */
function Cursor({ cell: [row, column], size }: { cell: Place; size: number }) {
  const px = (cells: number) => `${cells * size}px`;
  return (
    <>
      {size < CROSSED && <i class="across" style={{ top: px(row + 0.5) }} />}
      {size < CROSSED && <i class="down" style={{ left: px(column + 0.5) }} />}
      <i class="cursor" style={{ left: px(column), top: px(row), width: px(1), height: px(1) }} />
    </>
  );
}
