/** What is being explained: the cell under the pointer or else the one chosen, the cells that it reads or feeds, and
 *  the cards that were pinned. The geometry follows from the graph at once; numbers come from the server later. */

import { computed, signal } from "@preact/signals";
import { type CellBox, cellsFed, cellsRead, type Masked, maskOf } from "../graph/cells";
import { findTensor } from "../graph/shape";
import type { Graph } from "../graph/types";
import { codec, plainText } from "./codec";
import { spokenOf } from "./pass";
import { reading } from "./source";
import { type Cell, graph, hovered, selected } from "./store";
import { timeline } from "./timeline";

export type Direction = "backward" | "forward";

/** Whether the chosen cell is asked where it comes from, or where it goes. */
export const direction = signal<Direction>("backward");

export const sameCell = (one: Cell | null, other: Cell | null): boolean =>
  one === other ||
  (one !== null &&
    other !== null &&
    one.tensor === other.tensor &&
    one.index.length === other.index.length &&
    one.index.every((at, axis) => at === other.index[axis]));

let last: Cell | null = null;

/** The cell explained on the map. The same object as long as it is the same cell: the pointer moves more often. */
export const explained = computed<Cell | null>(() => {
  const cell = hovered.value ?? selected.value;
  if (!sameCell(cell, last)) last = cell && { tensor: cell.tensor, index: cell.index };
  return last;
});

export interface Lit {
  readonly cell: Cell;
  readonly boxes: readonly CellBox[];
  /** Why nothing is read. */
  readonly masked: Masked | null;
}

export interface Played {
  readonly cell: Cell;
  /** From 0 to 1. */
  readonly time: number;
  readonly running: boolean;
}

/** The cell whose arithmetic is being played, and how far it is. */
export const played = computed<Played | null>(() => {
  const { cell } = timeline.picture.value;
  return cell && { ...cell, running: timeline.running.value };
});

/** The cells that light up, and why there are none: what is pointed at comes first, then what a pass speaks of. */
export const lit = computed<Lit | null>(() => {
  const cell = hovered.value ? explained.value : (played.value?.cell ?? spokenOf.value ?? explained.value);
  const now = graph.value;
  if (!cell || !now || !findTensor(now, cell.tensor)) return null;
  const forward = cell === explained.value && hovered.value === null && direction.value === "forward";
  const boxes = (forward ? cellsFed : cellsRead)(now, cell.tensor, cell.index, reading.value);
  return { cell, boxes, masked: forward ? null : maskOf(now, cell.tensor, cell.index) };
});

// ---- cards -------------------------------------------------------------------------------------------------

/** An explanation kept beside the map. It can be walked: the last cell of its trail is the one it shows. */
export interface Pin {
  readonly id: number;
  readonly trail: readonly Cell[];
  readonly direction: Direction;
}

export const pins = signal<readonly Pin[]>([]);
/** How the chosen cell was come to, by walking from operand to operand; the chosen cell is its last. */
export const trail = signal<readonly Cell[]>([]);

const MOST_PINS = 6;
let numbered = 0;

/** Keeps a cell's explanation; one that is pinned already is not pinned twice. */
export function pin(path: readonly Cell[], way: Direction): void {
  const cell = path.at(-1);
  if (!cell || pins.value.some((one) => sameCell(one.trail.at(-1)!, cell) && one.direction === way)) return;
  numbered += 1;
  pins.value = [...pins.value, { id: numbered, trail: path, direction: way }].slice(-MOST_PINS);
}

export function unpin(id: number): void {
  pins.value = pins.value.filter((one) => one.id !== id);
}

export function changePin(id: number, change: Partial<Pick<Pin, "trail" | "direction">>): void {
  pins.value = pins.value.map((one) => (one.id === id ? { ...one, ...change } : one));
}

/** Pins for the address: `tensor[1_2]`, after `.` where they tell where a number goes, joined by `~`. */
export function writePins(all: readonly Pin[]): string | undefined {
  const written = all.map(({ trail: path, direction: way }) => {
    const cell = path.at(-1)!;
    return `${way === "forward" ? "." : ""}${cell.tensor}[${cell.index.join("_")}]`;
  });
  return written.join("~") || undefined;
}

/** Pins the cells that an address names; what is no cell of the model is left out. */
export function takePins(text: string, of: Graph): void {
  pins.value = [];
  for (const part of text.split("~").slice(0, MOST_PINS)) {
    const match = /^(\.?)([\w.]+)\[(\d+(?:_\d+)*)\]$/.exec(part);
    const tensor = match?.[2] === undefined ? undefined : findTensor(of, match[2]);
    const index = match?.[3]?.split("_").map(Number) ?? [];
    if (match && tensor && index.length === tensor.axes.length)
      pin([{ tensor: tensor.name, index }], match[1] ? "forward" : "backward");
  }
}

/** The trail after a step to a cell: one that stands in it already is gone back to. */
export function walked(path: readonly Cell[], cell: Cell): readonly Cell[] {
  const before = path.findIndex((one) => sameCell(one, cell));
  return before >= 0 ? path.slice(0, before + 1) : [...path, cell];
}

// ---- in the address ----------------------------------------------------------------------------------------

/** The cells pinned. */
export const pinsCodec = codec({
  key: "pins",
  where: "query",
  ...plainText("pins"),
  signal: computed(() => writePins(pins.value)),
  history: "replace",
  take: {
    when: "after",
    onRetrace: false,
    into: (text) => {
      if (text !== undefined && graph.value) takePins(text, graph.value);
    },
  },
});
