/** One run less another: what the run shown is compared with, and how their positions are paired. */

import { computed, signal } from "@preact/signals";
import { joined } from "../characters";
import { isTokenAxis } from "../graph/shape";
import type { Role, TensorInfo } from "../graph/types";
import type { Pairing, Token } from "../net/types";
import { codec } from "./codec";
import { readAgain, type TokensRead } from "./run";
import type { Problem } from "./store";

/** What a run was made of: enough to make it again. */
export interface Read {
  readonly model: string;
  /** All that was read and written; of an encoder-decoder its own text. */
  readonly tokens: readonly Token[];
  readonly source: readonly Token[];
  /** The kind of text of every token, where a model tells kinds apart. */
  readonly kinds?: readonly number[];
}

/** A run of this visit, or one made to be compared with. */
export interface EarlierRun extends Read {
  readonly run: string;
}

/** What is taken from the run shown; null while nothing is. */
export const comparison = signal<EarlierRun | null>(null);
export const pairing = signal<Pairing | null>(null);
/** Full colour of the differences by kind, and by tensor. */
export const differenceScales = signal<Readonly<Record<string, number>>>({});
export const differenceTensorScales = signal<Readonly<Record<string, number>>>({});
/** What was read on this visit, the latest first. */
export const earlier = signal<readonly EarlierRun[]>([]);
/** Another run is being made to be compared with. */
export const comparing = signal(false);
export const comparisonProblem = signal<Problem | null>(null);

const MOST_EARLIER = 12;

/** The text that was read, without what a model puts before it. */
export const wordsOf = ({ tokens, source }: Read): string =>
  textOf(source.length > 0 ? source : tokens) || "no text";

/** The text of tokens, without those that stand for none of it. */
export function textOf(tokens: readonly Token[]): string {
  // Of tokens given by their ids alone nobody knows which stand for text.
  const known = tokens.some(({ start, end }) => end > start);
  const read = known ? tokens.filter(({ start, end }) => end > start) : tokens;
  return joined(read.map(({ text }) => text)).replace(/<\|[^|>]*\|>/g, "");
}

const keyOf = ({ model, tokens, source, kinds = [] }: Read): string =>
  [model, source.map(({ id }) => id), tokens.map(({ id }) => id), kinds].join("|");

/** The list with a run at its head; the same run as it was before, and the same text, are not kept twice. */
export function withRun(list: readonly EarlierRun[], now: EarlierRun): readonly EarlierRun[] {
  const others = list.filter((one) => one.run !== now.run && keyOf(one) !== keyOf(now));
  return [now, ...others].slice(0, MOST_EARLIER);
}

/** The index of the cell that a cell is compared with; null where one of its positions has no partner. */
export function partnerOf(
  tensor: TensorInfo,
  index: readonly number[],
  { pairs, source_pairs }: Pick<Pairing, "pairs" | "source_pairs">,
): readonly number[] | null {
  const other = index.map((at, axis) => {
    const name = tensor.axes[axis] ?? "";
    if (!isTokenAxis(name)) return at;
    return (tensor.source_axes.includes(name) ? source_pairs : pairs)[at] ?? null;
  });
  return other.every((at) => at !== null) ? other : null;
}

/** How many of the positions read so far have a partner with the same token, with another, or none. */
export function pairedTokens(
  tokens: readonly Token[],
  others: readonly Token[],
  pairs: readonly (number | null)[],
): { readonly same: number; readonly replaced: number; readonly alone: number } {
  const counts = { same: 0, replaced: 0, alone: 0 };
  for (const [at, { id }] of tokens.entries()) {
    const other = others[pairs[at] ?? -1];
    counts[other === undefined ? "alone" : other.id === id ? "same" : "replaced"]++;
  }
  return counts;
}

/** Differences have a sign, also where the numbers have none: all of them have the colours of activations. */
export const hueOf = (role: Role): Role =>
  comparison.value !== null && role !== "weight" ? "activation" : role;

/** What is taken away, for the address bar: its token ids; after `~` those of an encoder-decoder's own text, after `!`
 *  the kind of text of each token, where not all are of the first kind. */
export function writeComparison(of: Read | null): string | undefined {
  if (!of) return undefined;
  const { tokens, target, kinds } = readAgain({ ...of, kinds: of.kinds ?? [] });
  const told = kinds?.some((kind) => kind > 0) ? kinds : null;
  return tokens.join("_") + (target ? `~${target.join("_")}` : "") + (told ? `!${told.join("_")}` : "");
}

/** What an address says is to be taken away: tokens to read, of which kinds of text, and what an encoder-decoder has
 *  written. */
export function readComparison(text: string | undefined): TokensRead | null {
  const parts = /^(\d+(?:_\d+)*)(?:~(\d+(?:_\d+)*)|!(\d+(?:_\d+)*))?$/.exec(text ?? "");
  if (!parts) return null;
  const [tokens, target, kinds] = parts.slice(1).map((ids) => ids?.split("_").map(Number));
  if (kinds && kinds.length !== tokens!.length) return null;
  return { tokens: tokens!, ...(target ? { target } : {}), ...(kinds ? { kinds } : {}) };
}

/** What is taken from the run shown, by its tokens; in the fragment, since these are a text. */
export const minusCodec = codec({
  key: "minus",
  where: "fragment",
  read: (from): string | undefined => from.get("minus") ?? undefined,
  write: (text, into) => into.set("minus", text),
  signal: computed(() => writeComparison(comparison.value)),
  history: "replace",
});
