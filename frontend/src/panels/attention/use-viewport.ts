/** Follows which part of a matrix is in view, and at which size: it fits its frame until it is enlarged, and scrolls
 *  from then on. */

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { type Place, reveal } from "../shared/matrix-moves";
import { useSize } from "../shared/use-size";
import { type Cells, levelFor } from "./matrix-part";

/** Pixels of the largest cell, and of the names beside the rows. */
const LARGEST = 48;
const LABELS = 64;

export interface Viewport {
  /** CSS pixels of a cell; of one when the whole matrix fits; of the window onto it. */
  readonly size: number;
  readonly fit: number;
  readonly width: number;
  readonly height: number;
  /** CSS pixels that are scrolled past. */
  readonly scroll: { readonly left: number; readonly top: number };
  /** The cells in view, and the level of their numbers at which each takes about a pixel of the screen. */
  readonly cells: Cells;
  readonly level: number;
  /** Pixels of the screen in one of CSS. */
  readonly ratio: number;
  /** True once the frame has been measured. */
  readonly isMeasured: boolean;
  readonly isLargest: boolean;
  readonly onScroll: (event: Event & { readonly currentTarget: HTMLElement }) => void;
  readonly enlarge: (factor: number, around: Place) => void;
  readonly showAll: () => void;
  readonly reveal: (cell: Place) => void;
}

/** Follows the frame's width and the scroller's place, for a matrix of so many rows and columns. */
export function useViewport(
  [rows, columns]: Place,
  frame: RefObject<HTMLElement | null>,
  scroller: RefObject<HTMLElement | null>,
): Viewport {
  const frameSize = useSize(frame);
  const zoom = useSignal<number | null>(null);
  const scroll = useSignal({ left: 0, top: 0 });
  const room = Math.max(0, frameSize.value.width - LABELS - 2);
  const high = Math.min(1.15 * room, 0.72 * window.innerHeight);
  const fit = Math.min(LARGEST, room / columns, high / rows);
  const size = Math.max(fit, zoom.value ?? fit);
  const width = Math.min(room, size * columns);
  const height = Math.min(high, size * rows);
  const { left, top } = scroll.value;
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  return {
    size,
    fit,
    width,
    height,
    scroll: scroll.value,
    cells: {
      left: Math.max(0, Math.floor(left / size)),
      top: Math.max(0, Math.floor(top / size)),
      right: Math.min(columns, Math.ceil((left + width) / size)),
      bottom: Math.min(rows, Math.ceil((top + height) / size)),
    },
    level: levelFor(size * ratio),
    ratio,
    isMeasured: room > 0,
    isLargest: size >= LARGEST,
    onScroll({ currentTarget }) {
      scroll.value = { left: currentTarget.scrollLeft, top: currentTarget.scrollTop };
    },
    enlarge(factor, around) {
      const next = Math.max(fit, Math.min(LARGEST, size * factor));
      zoom.value = next <= fit ? null : next;
      requestAnimationFrame(() => {
        const box = scroller.current;
        if (!box) return;
        box.scrollLeft = (around[1] + 0.5) * next - width / 2;
        box.scrollTop = (around[0] + 0.5) * next - height / 2;
      });
    },
    showAll() {
      zoom.value = null;
    },
    reveal([row, column]) {
      reveal(scroller.current!, { x: column * size, y: row * size, width: size, height: size });
    },
  };
}
