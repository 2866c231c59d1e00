/** The server's list of lenses, and their views of a run. What a lens answers with is its own affair and is
 *  not in the contract: these shapes follow docs/reference/lenses.md. */

import type { Lenses, LensInfo } from "./contract.gen";
import { getJson, json, lensAddress } from "./rest";

export type { LensInfo, LensParameter } from "./contract.gen";

/** Cells of the map: a tensor, and an index an axis, null for all along it. */
export type LensPlace = readonly [tensor: string, index: readonly (number | null)[]];
export type LensValue = string | number | boolean | null;

/** That a table's rows are a text's tokens in order: the columns of the token and of the number it is coloured by. */
export interface LensAlong {
  readonly token: string;
  readonly value: string;
  readonly scale: "probability" | "activation" | "summary";
}

export interface LensTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly LensValue[])[];
  /** For every row, the cells that it speaks of. */
  readonly places: readonly (LensPlace | null)[];
  /** True where these are all rows; a file has them all. */
  readonly complete: boolean;
  readonly along: LensAlong | null;
}

/** By name, a number for every head: `[layer][head]`. */
export type HeadMeasures = Readonly<Record<string, readonly (readonly (number | null)[])[]>>;

/** The board's answer: every head as a small map. */
export interface LensBoard {
  readonly part: string;
  readonly layers: readonly number[];
  readonly size: readonly [number, number];
  readonly measures: HeadMeasures;
  /** One query, and by `[layer][head]` the key it looks at more than is usual; null where it has no other to look at. */
  readonly looks: {
    readonly query: number;
    readonly keys: readonly (readonly number[])[];
    readonly shares: readonly (readonly number[])[];
    /** The share less what that key gets from all queries and heads. */
    readonly above: readonly (readonly number[])[];
  } | null;
  /** `[layer][head][query][key]`. */
  readonly maps: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** Measures of every head, those on a repeated sequence among them where the model can be measured so. */
export interface LensHeadMeasures {
  readonly measures: HeadMeasures;
  readonly sequence: { readonly tokens: number; readonly seed: number } | null;
  readonly sequence_reason: string | null;
}

export type LensQuery = Readonly<Record<string, string>>;

export const getLenses = async (run: string, signal?: AbortSignal): Promise<readonly LensInfo[]> =>
  (await json<Lenses>(`/runs/${encodeURIComponent(run)}/lenses`, signal)).lenses;

export const getLens = <T>(run: string, lens: string, query: LensQuery, signal?: AbortSignal): Promise<T> =>
  getJson<T>(lensAddress(run, lens, query), signal);
