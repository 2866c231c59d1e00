/** The port for where numbers come from. The map and the panels draw, step through and explain whatever stands behind
 *  it: a run on the server, the difference of two, a graph that somebody made up (docs/design/sources.md).
 *
 *      const source: NumbersSource = { key: "mine", graph, text, scales, … };
 *      showSource(source);  // session/show-source.ts
 *
 *  Nothing here knows of sockets, models or the page: shapes are in cells, indices in a tensor's own axis order. */

import type { ReadonlySignal } from "@preact/signals";
import type { Reading } from "../graph/cells";
import type { Graph, TensorInfo } from "../graph/types";
import type {
  CellsHeader as WireCellsHeader,
  RowsHeader as WireRowsHeader,
  TileHeader as WireTileHeader,
} from "../net/contract.gen";
import type { Direction, Explanation } from "../net/explain";
import type { Numbers } from "../net/npy";
import type { WordedOperation } from "../net/ops";
import type { Tile } from "../net/tiles";
import type { Word } from "../net/types";

/** One cell of one tensor. */
export interface SourceCell {
  readonly tensor: string;
  readonly index: readonly number[];
}

/** The text that a source's numbers are of. */
export interface SourceText {
  /** Stand along the axes of tokens. */
  readonly tokens: readonly Word[];
  /** Counts those of them, from the first, that have numbers. */
  readonly read: number;
  /** Are read by the encoder of an encoder-decoder; empty for all others. */
  readonly source: readonly Word[];
  /** The kind of text of each token, where a model tells kinds apart. */
  readonly kinds: readonly number[];
}

/** |value| of full colour: by kind of tensor, and of single tensors where somebody measured them. */
export interface SourceScales {
  readonly kinds: Readonly<Record<string, number>>;
  readonly tensors: Readonly<Record<string, number>>;
}

/** Rows of an activation as they arrive, `offset` the first of them. */
export type RowsHeader = Pick<WireRowsHeader, "minus" | "name" | "offset" | "shape" | "full_shape" | "scale">;
/** A 256 x 256 tile over the last two axes of a tensor; `index` fixes the axes before them. */
export type TileAddress = Pick<WireTileHeader, "name" | "index" | "level" | "row" | "col">;
export type TileHeader = TileAddress & Pick<WireTileHeader, "minus" | "shape" | "full_shape" | "scale">;
/** A rectangle of cells of one plate of the server's: `index` is the head, where there are heads. */
export type CellsAddress = Pick<WireCellsHeader, "name" | "index" | "row" | "col">;
export type CellsHeader = CellsAddress & Pick<WireCellsHeader, "minus" | "run" | "shape">;

/** A tile that is lacking: of a weight, or of an activation. */
export interface WantedTile extends TileAddress {
  readonly activation: boolean;
}

/** Cells whose numbers are to be printed: of a weight, or of an activation. */
export interface WantedCells extends CellsAddress {
  readonly activation: boolean;
  readonly rows: number;
  readonly cols: number;
}

/** Draws the numbers: says what it lacks, the most visible first, and takes what comes. */
export interface Subscriber {
  /** Names of activations that are wanted row by row. */
  wantedActivations(): readonly string[];
  wantedTiles(): readonly WantedTile[];
  wantedCells(): readonly WantedCells[];
  /** Half floats as their bits, to be multiplied by the header's `scale`. */
  applyRows(header: RowsHeader, values: Uint16Array): void;
  applyTile(header: TileHeader, values: Uint16Array): void;
  /** Single precision. */
  applyCells(header: CellsHeader, values: Float32Array): void;
}

export interface Subscription {
  /** Tells that what the subscriber lacks may have changed. */
  changed(): void;
  /** Ends it: nothing comes any more. */
  stop(): void;
}

/** A tile by its place in a pyramid: at level L a number stands for 2^L x 2^L cells. */
export interface TilePlace {
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

/** An operation in words, or why there are none; neither while they are on their way. */
export interface OperationInWords {
  readonly words: WordedOperation | null;
  readonly problem: { readonly message: string; readonly hint: string } | null;
}

export interface NumbersSource {
  /** Names this source like no other: answers are kept under it. */
  readonly key: string;
  readonly graph: Graph;
  readonly text: ReadonlySignal<SourceText>;
  readonly scales: ReadonlySignal<SourceScales>;
  /** Tells whether there are numbers of a tensor by now. Reads signals: whoever asks within an effect hears of changes. */
  isHere(tensor: TensorInfo): boolean;
  /** Names the numbers of one tensor: weights are the same in many sources. */
  keyOf(tensor: TensorInfo): string;
  /** Pushes to a subscriber what it lacks, now and whenever that changes. One subscription at a time. */
  subscribe(sink: Subscriber): Subscription;
  /** Gives a tile of one head's plate.
   *  @throws ApiError where there is none (yet), DOMException when given up by `signal`. */
  tile(tensor: string, head: number, place: TilePlace, signal: AbortSignal): Promise<Tile>;
  /** Gives all numbers of a box of cells, up to and without `stop`, the last axis running fastest; cut where they end.
   *  @throws ApiError where they cannot be had, DOMException when given up by `signal`. */
  cells(
    tensor: string,
    start: readonly number[],
    stop: readonly number[],
    signal?: AbortSignal,
  ): Promise<Numbers>;
  /** Says what an operation of the graph does, by its place among them. Reads signals, as `isHere`. */
  inWords(operation: number): OperationInWords;
  /** Explains the arithmetic that made a cell, or the cells that it goes into.
   *  @throws ApiError where it cannot be had, DOMException when given up by `signal`. */
  explain(cell: SourceCell, direction: Direction, signal: AbortSignal): Promise<Explanation>;
}

export const NO_TEXT: SourceText = { tokens: [], read: 0, source: [], kinds: [] };
export const NO_SCALES: SourceScales = { kinds: {}, tensors: {} };

/** Says of a text what the graph asks: how many positions there are, and which token stands at each. */
export function readingOf({ tokens, read, source, kinds }: SourceText): Reading {
  return {
    positions: { target: read, source: source.length },
    lookup: (tensor, [at]) => {
      if (at === undefined) return undefined;
      if (tensor === "token_types") return kinds[at] ?? 0;
      if (tensor === "source_tokens") return source[at]?.id;
      return tensor === "tokens" && at < read ? tokens[at]?.id : undefined;
    },
  };
}
