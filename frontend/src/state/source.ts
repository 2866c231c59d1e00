/** Where the numbers that are shown come from. Whoever wants numbers, tokens or scales asks here, not the run. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { findTensor, shapeAt } from "../graph/shape";
import { NO_TEXT, type NumbersSource, readingOf, type SourceCell } from "../sources/port";
import type { Cell } from "./store";

/** The server's sources: the run that is shown, and what the map draws of it, which may be its difference to another. */
export interface ServerSources {
  readonly own: ReadonlySignal<NumbersSource | null>;
  readonly drawn: ReadonlySignal<NumbersSource | null>;
}

/** How the server's sources follow from the rest of the store; the session says so when it begins. */
export const server = signal<ServerSources | null>(null);
/** A source that is shown in place of the server's: a lesson's, a lab's, a test's. */
export const made = signal<NumbersSource | null>(null);

/** What panels read: the run itself, also where the map draws a difference. */
export const source = computed(() => made.value ?? server.value?.own.value ?? null);
/** What the map draws. */
export const drawn = computed(() => made.value ?? server.value?.drawn.value ?? null);

/** The text that the numbers are of. */
export const sourceText = computed(() => source.value?.text.value ?? NO_TEXT);
/** What the text says to the graph: how many tokens there are, and which. */
export const reading = computed(() => readingOf(sourceText.value));

/** The tokens that have been read. */
export const tokensRead = computed(() => sourceText.value.tokens.slice(0, sourceText.value.read));

const infoOf = ({ tensor }: SourceCell) => source.value && findTensor(source.value.graph, tensor);

/** Whether the text reaches as far as a cell. */
export function textReaches(cell: Cell): boolean {
  const info = infoOf(cell);
  if (!info) return false;
  const shape = shapeAt(info, reading.value.positions);
  return cell.index.every((at, axis) => at < shape[axis]!);
}

/** Whether a cell has its number: the text reaches as far, and the source has come to its tensor. */
export function isComputed(cell: Cell): boolean {
  const info = infoOf(cell);
  return !!info && textReaches(cell) && source.value!.isHere(info);
}

/** The source, where it has numbers of a tensor. */
export function sourceOf(tensor: string): NumbersSource | null {
  const now = source.value;
  const info = now && findTensor(now.graph, tensor);
  return info && now.isHere(info) ? now : null;
}
