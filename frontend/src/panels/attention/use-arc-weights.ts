/** Fetches the weights that the arcs are drawn of: all heads of the queries in view, and the whole column of a key that
 *  is pointed at. */

import { useRef } from "preact/hooks";
import { getActivations } from "../../net/rest";
import type { Attention } from "../../state/attention";
import { run } from "../../state/store";
import { useFlow } from "../shared/use-latest";
import type { Block } from "./arcs";
import type { AxisTokens } from "./attention-parts";

/** Rows of queries fetched at once. */
const ROWS = 32;

/** A token pointed at or kept: of the queries or of the keys. */
export interface Pointed {
  readonly side: "query" | "key";
  readonly at: number;
}

export const patternOf = ({ module }: Attention) => `${module}.hook_pattern`;

/** All weights that a key is given, of queries out of view as well. */
export function useColumn(of: Attention, tokens: AxisTokens, pointed: Pointed | null) {
  const now = run.value;
  const key = pointed?.side === "key" ? pointed.at : null;
  const place = now?.id && tokens.rowsHere && key !== null ? `${now.id} ${of.module} ${key}` : null;
  const flow = useFlow(place, `${tokens.queries.length} ${now?.phase}`, async (signal) => {
    const slice = [
      [0, of.heads],
      [0, tokens.queries.length],
      [key!, key! + 1],
    ] as const;
    return { key: key!, numbers: await getActivations(now!.id!, patternOf(of), slice, signal) };
  });
  return flow.place === place ? flow.value : null;
}

/** The weights of all heads for the queries in view, and those that were in view before. */
export function useRows(of: Attention, tokens: AxisTokens, first: number, last: number) {
  const now = run.value;
  const [from, to] = [Math.floor(first / ROWS), Math.ceil(last / ROWS)];
  const count = `${tokens.queries.length} ${tokens.keys.length} ${now?.phase}`;
  const place = now?.id && tokens.rowsHere ? `${now.id} ${of.module}` : null;
  const known = useRef<{ of: string; blocks: ReadonlyMap<number, Block> }>({ of: "", blocks: new Map() });
  const flow = useFlow(place, `${count} ${from} ${to}`, async (signal) => {
    const key = `${place} ${count}`;
    const blocks = new Map(known.current.of === key ? known.current.blocks : []);
    for (let part = from; part < to; part++)
      if (!blocks.has(part)) {
        const rows = [part * ROWS, Math.min((part + 1) * ROWS, tokens.queries.length)] as const;
        const all = [0, of.heads] as const;
        const keys = [0, tokens.keys.length] as const;
        const numbers = await getActivations(now!.id!, patternOf(of), [all, rows, keys], signal);
        blocks.set(part, { first: rows[0], ...numbers });
      }
    known.current = { of: key, blocks };
    return [...blocks.values()];
  });
  const blocks = flow.place === place ? (flow.value ?? []) : [];
  return { blocks, problem: flow.problem };
}
