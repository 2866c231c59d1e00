/** The one cell of a matrix that is read: under the pointer, or moved by keys, or pointed at elsewhere. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { cellAfter, type Place, within } from "../shared/matrix-moves";

interface Options {
  /** Rows and columns of the matrix. */
  readonly size: Place;
  /** The cell that is pointed at elsewhere. */
  readonly linked: Place | null;
  /** The cell that is read until another is pointed out. */
  readonly start: Place | null;
  readonly onPoint: (cell: Place | null) => void;
}

export interface RovingCell {
  readonly cell: Place;
  /** The pointer is over a cell, or over none. */
  readonly point: (next: Place | null) => void;
  /** The focus has gone: nothing is pointed at. */
  readonly leave: () => void;
  /** Reads a cell from now on. */
  readonly keep: (cell: Place) => void;
  /** Moves by a key; null where the key moves nothing. */
  readonly move: (key: string) => Place | null;
}

export function useRovingCell({ size, linked, start, onPoint }: Options): RovingCell {
  const pointed = useSignal<Place | null>(null);
  const kept = useSignal<Place | null>(null);
  const told = useRef("");
  // What was pointed out last counts: here by the arrow keys, or elsewhere.
  useLayoutEffect(() => {
    if (linked) kept.value = linked;
  }, [linked?.join(" ")]);
  const cell = within(pointed.value ?? kept.value ?? start ?? [size[0] - 1, 0], size);
  /** Each cell is told once, however the pointer moves within it. */
  const tell = (next: Place | null) => {
    const key = next?.join(" ") ?? "";
    if (key === told.current) return;
    told.current = key;
    onPoint(next);
  };
  return {
    cell,
    point(next) {
      if (next?.join(" ") !== pointed.value?.join(" ")) pointed.value = next;
      tell(next);
    },
    leave: () => tell(null),
    keep(at) {
      kept.value = at;
    },
    move(key) {
      const next = cellAfter(key, cell, size, Math.ceil(size[0] / 10));
      if (!next) return null;
      kept.value = next;
      tell(next);
      return next;
    },
  };
}
