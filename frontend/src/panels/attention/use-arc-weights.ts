/** Fetches the weights that the arcs are drawn of: all heads of the queries in view, and the whole column of a key that
 *  is pointed at. */

import { useRef } from "preact/hooks";
import type { Attention } from "../../state/attention";
import { source } from "../../state/source";
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
  const [now, from] = [run.value, source.value];
  const key = pointed?.side === "key" ? pointed.at : null;
  const place = from && tokens.rowsHere && key !== null ? `${from.key} ${of.module} ${key}` : null;
  const flow = useFlow(place, `${tokens.queries.length} ${now?.phase}`, async (signal) => {
    const stop = [of.heads, tokens.queries.length, key! + 1];
    return { key: key!, numbers: await from!.cells(patternOf(of), [0, 0, key!], stop, signal) };
  });
  return flow.place === place ? flow.value : null;
}

/** The weights of all heads for the queries in view, and those that were in view before. */
export function useRows(of: Attention, tokens: AxisTokens, first: number, last: number) {
  const [now, numbersFrom] = [run.value, source.value];
  const [from, to] = [Math.floor(first / ROWS), Math.ceil(last / ROWS)];
  const count = `${tokens.queries.length} ${tokens.keys.length} ${now?.phase}`;
  const place = numbersFrom && tokens.rowsHere ? `${numbersFrom.key} ${of.module}` : null;
  const known = useRef<{ of: string; blocks: ReadonlyMap<number, Block> }>({ of: "", blocks: new Map() });
  const flow = useFlow(place, `${count} ${from} ${to}`, async (signal) => {
    const key = `${place} ${count}`;
    const blocks = new Map(known.current.of === key ? known.current.blocks : []);
    for (let part = from; part < to; part++)
      if (!blocks.has(part)) {
        const rows = [part * ROWS, Math.min((part + 1) * ROWS, tokens.queries.length)] as const;
        const stop = [of.heads, rows[1], tokens.keys.length];
        const numbers = await numbersFrom!.cells(patternOf(of), [0, rows[0], 0], stop, signal);
        blocks.set(part, { first: rows[0], ...numbers });
      }
    known.current = { of: key, blocks };
    return [...blocks.values()];
  });
  const blocks = flow.place === place ? (flow.value ?? []) : [];
  return { blocks, problem: flow.problem };
}
