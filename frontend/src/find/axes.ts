/** Finds the cells of a tensor that a search means: its shorthand, laid on the tensor's axes. */

import { type Called, calledTokens } from "../characters";
import { tokenText } from "../format";
import { isTokenAxis, shapeAt } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import type { Word } from "../net/types";
import type { AxisPlace, Query, TokenTerm } from "./query";

export interface Axes {
  readonly graph: Graph;
  readonly tokens: readonly Called<Word>[];
  readonly source: readonly Called<Word>[];
  readonly vocabulary: ReadonlyMap<string, readonly Word[]>;
  readonly query: Query;
}

/** The indices that a search means of a tensor: one, several where a token stands at several places, none where the
 *  tensor has no such cells. Null along an axis is all of it. */
export function placeOn(tensor: TensorInfo, axes: Axes): readonly (readonly (number | null)[])[] {
  const { query } = axes;
  const fixed: (number | null)[] = tensor.axes.map(() => null);
  if (query.head !== null && !fixHead(fixed, tensor, query.head, axes.graph)) return [];
  if (query.position !== null) {
    const along = positionAxis(tensor);
    if (along < 0 || query.position >= textOf(tensor, along, axes).length) return [];
    fixed[along] = query.position;
  }
  return withToken(fixed, tensor, axes).flatMap((index) => {
    const filled = fill(index, tensor, axes);
    return filled ? [filled] : [];
  });
}

/** Keys and values that heads share are found by any of these heads. */
function fixHead(index: (number | null)[], tensor: TensorInfo, head: number, graph: Graph): boolean {
  const along = tensor.axes.findIndex((axis) => axis === "head" || axis === "kv_head");
  if (along < 0) return false;
  const group = tensor.axes[along] === "kv_head" ? (graph.sizes.head ?? 1) / (graph.sizes.kv_head ?? 1) : 1;
  const place = Math.floor(head / group);
  index[along] = place;
  return place < tensor.shape[along]!;
}

const positionAxis = (tensor: TensorInfo): number =>
  tensor.axes.findIndex((axis) => axis === "pos" || axis === "query_pos");

const textOf = (tensor: TensorInfo, axis: number, { tokens, source }: Axes): readonly Called<Word>[] =>
  tensor.source_axes.includes(tensor.axes[axis]!) ? source : tokens;

/** A token fixes its row of the vocabulary where the tensor has one, else its places in the text. */
function withToken(
  index: readonly (number | null)[],
  tensor: TensorInfo,
  axes: Axes,
): readonly (readonly (number | null)[])[] {
  const { token } = axes.query;
  if (!token) return [index];
  const put = (along: number, place: number) => index.map((at, axis) => (axis === along ? place : at));
  const vocabulary = tensor.axes.indexOf("d_vocab");
  if (vocabulary >= 0)
    return tokenIds(token, axes.vocabulary)
      .filter((id) => id < tensor.shape[vocabulary]!)
      .map((id) => put(vocabulary, id));
  const along = positionAxis(tensor);
  if (along < 0 || tensor.role === "weight" || index[along] !== null) return [];
  return textOf(tensor, along, axes)
    .map((one, at) => [one, at] as const)
    .filter(([one]) => isToken(one, token))
    .map(([, at]) => put(along, at));
}

/** The ids of a token named by its text: as it is, or as it stands after a space, whichever is one token; of one
 *  character that no token is, those of its bytes. */
export function tokenIds(
  token: TokenTerm,
  vocabulary: ReadonlyMap<string, readonly Word[]>,
): readonly number[] {
  if ("id" in token) return [token.id];
  const whole = [token.text, ` ${token.text}`].flatMap((text) => {
    const cut = vocabulary.get(text);
    return cut?.length === 1 ? [cut[0]!.id] : [];
  });
  if (whole.length > 0 || [...token.text].length !== 1) return whole;
  return (vocabulary.get(token.text) ?? []).map(({ id }) => id);
}

/** Tells whether a token of the text is the one named: by its id, or its text, with or without the space before it. */
export function isToken(one: Called<Word>, named: TokenTerm): boolean {
  if ("id" in named) return one.id === named.id;
  if (/^\s/.test(named.text)) return one.spells === named.text;
  return one.spells.trim().toLowerCase() === named.text.trim().toLowerCase();
}

/** Gives the indices in brackets to the axes that nothing else fixes, in their order; as many as all axes replace
 *  what the shorthand said. Null where there is no such cell. */
function fill(
  index: readonly (number | null)[],
  tensor: TensorInfo,
  axes: Axes,
): readonly (number | null)[] | null {
  const given = axes.query.index;
  if (!given) return index;
  const whole = given.length === index.length && axes.query.head === null;
  const open = index.flatMap((at, axis) => (whole || at === null ? [axis] : []));
  if (given.length > open.length) return null;
  const filled = [...index];
  for (const [at, place] of given.entries()) {
    const axis = open[at]!;
    const size = shapeOf(tensor, axes)[axis]!;
    const found = counted(place, size);
    if (found === undefined) return null;
    filled[axis] = found;
  }
  return filled;
}

/** The shape of a tensor now that the texts have been read. */
export const shapeOf = (tensor: TensorInfo, { tokens, source }: Axes): readonly number[] =>
  shapeAt(tensor, { target: tokens.length, source: source.length });

/** A place along an axis of this length; undefined beyond its end. */
function counted(place: AxisPlace, size: number): number | null | undefined {
  if (place === null) return null;
  const at = place < 0 ? place + size : place;
  return at >= 0 && at < size ? at : undefined;
}

/** Puts an index into words: `block 3`, `head 5`, `query_pos 4 “cat”`. */
export function addressOf(
  tensor: TensorInfo,
  index: readonly (number | null)[],
  axes: Axes,
): readonly string[] {
  const block =
    tensor.layer === null ? [] : [`${tensor.stack ? `${tensor.stack} ` : ""}block ${tensor.layer}`];
  const places = index.flatMap((at, axis) => {
    if (at === null) return [];
    const name = tensor.axes[axis]!;
    const token = tensor.role !== "weight" && isTokenAxis(name) ? textOf(tensor, axis, axes)[at] : undefined;
    const { token: term } = axes.query;
    const word = name === "d_vocab" && term ? wordOf(at, term, axes) : token?.text;
    return [`${name} ${at}${word === undefined ? "" : ` “${tokenText(word)}”`}`];
  });
  return [...block, ...places];
}

/** The text of the token with this id, where the search was for it. */
function wordOf(id: number, term: TokenTerm, { vocabulary, tokens, source }: Axes): string | undefined {
  const asked = "text" in term ? [term.text, ` ${term.text}`] : [];
  const looked = asked.flatMap((text) => calledTokens(vocabulary.get(text) ?? []));
  return [...looked, ...tokens, ...source].find((one) => one.id === id)?.text;
}
