/** Types of a search: the scope that it looks through, and the results that it finds. */

import type { Called } from "../characters";
import type { Graph, Role } from "../graph/types";
import type { Region } from "../layout/types";
import type { Word } from "../net/types";

/** The scope that a search looks through. */
export interface Scope {
  readonly graph: Graph;
  /** None where the map cannot be drawn. */
  readonly regions: readonly Region[];
  /** The text read, and the source of an encoder-decoder. */
  readonly tokens: readonly Word[];
  readonly source: readonly Word[];
  /** Texts that were looked up, and the tokens that each is cut into. */
  readonly vocabulary: ReadonlyMap<string, readonly Word[]>;
}

/** The same with tokens by their names. */
export interface CalledScope extends Scope {
  readonly tokens: readonly Called<Word>[];
  readonly source: readonly Called<Word>[];
}

export type Target =
  | { readonly kind: "region"; readonly region: Region }
  /** Cells of a tensor; null along an axis is all of it. */
  | { readonly kind: "cells"; readonly tensor: string; readonly index: readonly (number | null)[] }
  /** A lens, or a field of the writer, by its name. */
  | { readonly kind: "lens" | "field"; readonly name: string }
  | { readonly kind: "position"; readonly position: number; readonly ofSource: boolean };

export interface Find {
  readonly key: string;
  readonly title: string;
  /** Parts of the title that the search named: from, up to. */
  readonly marks: readonly (readonly [number, number])[];
  /** Its kind, in a few words. */
  readonly note: string;
  /** Its purpose, in a sentence; empty where that goes without saying. */
  readonly meaning: string;
  readonly role: Role | null;
  readonly target: Target;
  readonly score: number;
}

export interface Findings {
  readonly finds: readonly Find[];
  /** The number of results beside those listed. */
  readonly more: number;
  /** Why there are none. */
  readonly problem: { readonly message: string; readonly hint: string } | null;
}
