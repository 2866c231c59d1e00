/** The conditions of a read: for which cells of the output anything is read at all. */

/** A half-open range of indices. */
export type Range = readonly [start: number, stop: number];

/** `left <= right`, `left > right - back` or `left < limit`, each with its own words. */
export interface Comparison {
  readonly text: string;
  readonly left: string;
  readonly relation: "<=" | ">" | "<";
  /** The axis compared with; null where the bound is a number alone. */
  readonly right: string | null;
  /** Added to the right axis, or the bound itself. */
  readonly offset: number;
}

const COMPARISON = /^(\w+) (<=|>|<) (?:(\d+)|([a-z_]\w*)(?: - (\d+))?)$/;
const known = new Map<string, readonly Comparison[]>();

/** A `where` taken apart. Throws on anything but the graph's own grammar. */
export function comparisons(where: string | null): readonly Comparison[] {
  if (where === null) return [];
  const before = known.get(where);
  if (before) return before;
  const parsed = where.split(" and ").map(comparison);
  known.set(where, parsed);
  return parsed;
}

function comparison(text: string): Comparison {
  const match = COMPARISON.exec(text);
  if (!match) throw new Error(`cannot read the condition "${text}"`);
  const [, left, relation, number, axis, back] = match;
  return {
    text,
    left: left!,
    relation: relation as Comparison["relation"],
    right: axis ?? null,
    offset: number !== undefined ? Number(number) : -Number(back ?? 0),
  };
}

/** Tells whether a condition holds for an output cell. Axes that the cell does not have are not judged. */
export function holds(comparison: Comparison, at: ReadonlyMap<string, number>): boolean {
  const left = at.get(comparison.left);
  const right = comparison.right === null ? 0 : at.get(comparison.right);
  if (left === undefined || right === undefined) return true;
  const bound = right + comparison.offset;
  if (comparison.relation === "<=") return left <= bound;
  return comparison.relation === "<" ? left < bound : left > bound;
}

/** The parts of a box of output cells for which every comparison holds. */
export function restrict(
  box: ReadonlyMap<string, Range>,
  where: string | null,
): readonly ReadonlyMap<string, Range>[] {
  return comparisons(where).reduce<readonly ReadonlyMap<string, Range>[]>(
    (boxes, comparison) => boxes.flatMap((part) => restrictOne(part, comparison)),
    [box],
  );
}

/** Splits a box where both sides are ranges: one box for every index on the right. */
function restrictOne(box: ReadonlyMap<string, Range>, comparison: Comparison): ReadonlyMap<string, Range>[] {
  const { left, right, offset } = comparison;
  const from = box.get(left);
  if (!from) throw new Error(`the condition "${comparison.text}" names no axis of the output`);
  if (right === null) return narrowed(box, left, from, comparison, offset);
  const to = box.get(right);
  if (!to) throw new Error(`the condition "${comparison.text}" names no axis of the output`);
  const parts: ReadonlyMap<string, Range>[] = [];
  for (let i = to[0]; i < to[1]; i++) {
    const part = new Map(box).set(right, [i, i + 1]);
    parts.push(...narrowed(part, left, from, comparison, i + offset));
  }
  return parts;
}

function narrowed(
  box: ReadonlyMap<string, Range>,
  axis: string,
  [start, stop]: Range,
  { relation }: Comparison,
  bound: number,
): ReadonlyMap<string, Range>[] {
  const range: Range =
    relation === ">"
      ? [Math.max(start, bound + 1), stop]
      : [start, Math.min(stop, relation === "<=" ? bound + 1 : bound)];
  return range[0] < range[1] ? [new Map(box).set(axis, range)] : [];
}
