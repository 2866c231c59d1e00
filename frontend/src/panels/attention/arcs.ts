/** Arcs of attention: which there are between the rows that have come, and the colours and switches of their heads. */

import type { Numbers } from "../../net/npy";

/** Rows of a pattern, `[head, query, key]`, from a first query on. */
export interface Block extends Numbers {
  readonly first: number;
}

export interface Arc {
  readonly head: number;
  readonly query: number;
  readonly key: number;
  readonly weight: number;
}

/** Lighter arcs are not drawn when all are. */
export const LEAST = 0.02;

/** The arcs that leave a query, of the heads shown, heavier than `least`. */
export function arcsFrom(
  blocks: readonly Block[],
  query: number,
  shown: ReadonlySet<number>,
  least: number,
): readonly Arc[] {
  const block = blocks.find(({ first, shape }) => query >= first && query < first + shape[1]!);
  if (!block) return [];
  const [, rows, keys] = block.shape as readonly [number, number, number];
  const arcs: Arc[] = [];
  for (const head of shown) {
    const start = (head * rows + query - block.first) * keys;
    for (let key = 0; key < keys; key++) {
      const weight = block.values[start + key]!;
      if (weight > least) arcs.push({ head, query, key, weight });
    }
  }
  return arcs;
}

/** The arcs that reach a key from the queries that have come. */
export function arcsTo(
  blocks: readonly Block[],
  key: number,
  shown: ReadonlySet<number>,
  least: number,
): readonly Arc[] {
  const arcs: Arc[] = [];
  for (const { first, shape, values } of blocks) {
    const [, rows, keys] = shape as readonly [number, number, number];
    if (key >= keys) continue;
    for (const head of shown)
      for (let row = 0; row < rows; row++) {
        const weight = values[(head * rows + row) * keys + key]!;
        if (weight > least) arcs.push({ head, query: first + row, key, weight });
      }
  }
  return arcs;
}

/** The arcs that reach a key from all queries: its column of the pattern, `[head, query, 1]`. */
export function arcsOfColumn(
  { shape, values }: Numbers,
  key: number,
  shown: ReadonlySet<number>,
): readonly Arc[] {
  const [, rows] = shape as readonly [number, number, number];
  return [...shown].flatMap((head) =>
    Array.from({ length: rows }, (_, query) => ({
      head,
      query,
      key,
      weight: values[head * rows + query]!,
    })).filter(({ weight }) => weight > 0),
  );
}

/** Hues around the circle by the golden angle, so that neighbours differ however many heads there are. */
export function headColour(head: number, heads: number, shade: "light" | "dark"): string {
  const hue = heads <= 12 ? (head * 360) / heads + 260 : head * 137.508 + 260;
  const lightness = shade === "dark" ? [0.74, 0.82, 0.66][head % 3] : [0.52, 0.44, 0.6][head % 3];
  return `oklch(${lightness} 0.15 ${(hue % 360).toFixed(1)})`;
}

/** The heads shown after a click on one. */
export function toggled(shown: ReadonlySet<number>, head: number): ReadonlySet<number> {
  const next = new Set(shown);
  if (!next.delete(head)) next.add(head);
  return next;
}

/** The heads shown after a double click: this one alone, or all again where it was alone before. Its first click has
 *  switched the head already. */
export function isolated(shown: ReadonlySet<number>, head: number, heads: number): ReadonlySet<number> {
  const others = [...shown].filter((one) => one !== head);
  if (others.length > 0) return new Set([head]);
  return new Set(Array.from({ length: heads }, (_, at) => at));
}
