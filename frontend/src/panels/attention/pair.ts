/** A query times a key, number by number. */

export interface Factors {
  readonly at: number;
  readonly query: number;
  readonly key: number;
  readonly product: number;
}

export function factors(query: readonly number[], key: readonly number[]): readonly Factors[] {
  return query.map((value, at) => ({ at, query: value, key: key[at]!, product: value * key[at]! }));
}

/** The products of largest size, in that order, and the sum of all others. */
export function largest(
  all: readonly Factors[],
  count: number,
): { readonly listed: readonly Factors[]; readonly rest: { readonly count: number; readonly sum: number } } {
  const sorted = [...all].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const others = sorted.slice(count);
  return {
    listed: sorted.slice(0, count),
    rest: { count: others.length, sum: others.reduce((total, { product }) => total + product, 0) },
  };
}

/** `13.0`: the query and the key that an address names; null where it names none that the text has, as after a change
 *  to an attention of another text. */
export function readPair(
  detail: string,
  queries: number,
  keys: number,
): readonly [query: number, key: number] | null {
  const match = /^(\d{1,7})\.(\d{1,7})$/.exec(detail);
  const pair = match ? ([Number(match[1]), Number(match[2])] as const) : null;
  return pair && pair[0] < queries && pair[1] < keys ? pair : null;
}
