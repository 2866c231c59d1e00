/** Shows where one score comes from: the query and the key number by number, their products, the sum, what it is divided by,
 *  and the share that the softmax makes of it. */

import { useSignal } from "@preact/signals";
import { formatNumber, tokenText } from "../../format";
import { maskOf } from "../../graph/attentions";
import { getLens } from "../../net/lenses";
import type { Attention } from "../../state/attention";
import { type Cell, graph, run } from "../../state/store";
import { theme } from "../../theme";
import { Exports } from "../lenses/exports";
import { choose, useActions } from "../shared/actions";
import { useCellValue } from "../shared/cell-value";
import { cellColour } from "../shared/colour";
import { useFlow } from "../shared/use-latest";
import type { AxisTokens } from "./attention-parts";
import { factors, largest } from "./pair";

/** Numbers in a line. */
const ACROSS = 32;
const LISTED = 8;

export interface LensQueryKey {
  readonly query_pos: number;
  readonly key_pos: number;
  readonly scale: number;
  readonly query: { readonly name: string; readonly values: readonly number[] };
  readonly key: { readonly name: string; readonly head: number; readonly values: readonly number[] };
  readonly score: number;
  readonly bias: number | null;
  readonly difference: number;
}

interface Props {
  readonly of: Attention;
  readonly tokens: AxisTokens;
  /** The query and the key. */
  readonly pair: readonly [query: number, key: number];
  readonly onPair: (pair: readonly [query: number, key: number]) => void;
}

export function AttentionPair({ of, tokens, pair: [query, key], onPair }: Props) {
  const now = run.value;
  const asked = {
    part: of.part,
    layer: `${of.layer}`,
    head: `${of.head}`,
    query: `${query}`,
    key: `${key}`,
  };
  const place = now?.id && tokens.rowsHere ? `${now.id} ${of.module} ${of.head} ${query} ${key}` : null;
  const flow = useFlow(place, `${now?.phase}`, (signal) =>
    getLens<LensQueryKey>(now!.id!, "query_key", asked, signal),
  );
  return (
    <>
      <div class="pickers mono">
        <TokenPicker name="query" texts={tokens.queries} value={query} onChange={(at) => onPair([at, key])} />
        <TokenPicker name="key" texts={tokens.keys} value={key} onChange={(at) => onPair([query, at])} />
      </div>
      {flow.problem && (
        <p class="problem" role="alert">
          {flow.problem.message} {flow.problem.hint}
        </p>
      )}
      {flow.value && !flow.problem && (
        <div class={flow.place === place ? "pair" : "pair stale"}>
          <Products of={of} answer={flow.value} />
          <Arithmetic of={of} tokens={tokens} answer={flow.value} />
        </div>
      )}
      <p class="soft note">
        Single numbers of a query have no meaning of their own: turning the head's axes leaves every score as
        it is.
        {of.group > 1 &&
          ` Heads ${of.group * Math.floor(of.head / of.group)} to ${of.group * Math.floor(of.head / of.group) + of.group - 1} share this key.`}
      </p>
      {now?.id && <Exports run={now.id} lens="query_key" query={asked} />}
    </>
  );
}

interface TokenPickerProps {
  readonly name: string;
  readonly texts: readonly string[];
  readonly value: number;
  readonly onChange: (at: number) => void;
}

function TokenPicker({ name, texts, value, onChange }: TokenPickerProps) {
  return (
    <label>
      {name}{" "}
      <select
        aria-label={name}
        value={`${value}`}
        onChange={(event) => onChange(Number(event.currentTarget.value))}
      >
        {value >= texts.length && <option value={`${value}`}>{value}: none</option>}
        {texts.map((text, at) => (
          <option key={at} value={`${at}`}>
            {at} {tokenText(text)}
          </option>
        ))}
      </select>
    </label>
  );
}

const ROWS = ["query", "key", "product"] as const;
const SIGNS: Readonly<Record<(typeof ROWS)[number], string>> = { query: "q", key: "k", product: "q·k" };

/** The three rows, cut into lines; the cells have the map's colours, each row under the scale of its largest. */
function Products({ of, answer }: { of: Attention; answer: LensQueryKey }) {
  const { map } = useActions();
  const pointed = useSignal<number | null>(null);
  const all = factors(answer.query.values, answer.key.values);
  const full = Object.fromEntries(
    ROWS.map((row) => [row, Math.max(...all.map((one) => Math.abs(one[row])), 1e-12)]),
  );
  const starts = Array.from({ length: Math.ceil(all.length / ACROSS) }, (_, line) => line * ACROSS);
  const at = pointed.value;
  const one = at === null ? null : all[at];
  const cellOf = (row: (typeof ROWS)[number], place: number): Cell =>
    row === "key"
      ? { tensor: answer.key.name, index: [answer.key_pos, answer.key.head, place] }
      : { tensor: answer.query.name, index: [answer.query_pos, of.head, place] };
  return (
    <div class="pair-factors mono" onPointerLeave={() => (pointed.value = null)} aria-hidden="true">
      {starts.map((start) => (
        <div key={start} class="line">
          {ROWS.map((row) => (
            <div key={row} class={`cells ${row}`} style={{ "--across": Math.min(ACROSS, all.length) }}>
              <span>{SIGNS[row]}</span>
              {all.slice(start, start + ACROSS).map((factor) => (
                <button
                  key={factor.at}
                  type="button"
                  // The table below has the same cells by keyboard.
                  tabIndex={-1}
                  class={factor.at === at ? "on" : undefined}
                  style={{ background: cellColour(theme.value, "activation", factor[row], full[row]!) }}
                  onPointerEnter={() => {
                    pointed.value = factor.at;
                  }}
                  onClick={() => choose(map, cellOf(row, factor.at), true)}
                />
              ))}
            </div>
          ))}
        </div>
      ))}
      <p class="readout">
        {one
          ? `${one.at}: ${formatNumber(one.query)} × ${formatNumber(one.key)} = ${formatNumber(one.product)}`
          : `${all.length} numbers, ${ACROSS} a line: point at one`}
      </p>
    </div>
  );
}

/** The sum and what is made of it, line by line. */
function Arithmetic({ of, tokens, answer }: { of: Attention; tokens: AxisTokens; answer: LensQueryKey }) {
  const { query_pos: query, key_pos: key, scale, bias, score, difference } = answer;
  const { map } = useActions();
  const all = factors(answer.query.values, answer.key.values);
  const sum = all.reduce((total, { product }) => total + product, 0);
  const { listed, rest } = largest(all, LISTED);
  const pattern: Cell = { tensor: `${of.module}.hook_pattern`, index: [of.head, query, key] };
  const share = useCellValue(pattern, null).value;
  const masked = maskOf(graph.value!, of.module)?.(query, key) ?? false;
  const root = Math.abs(scale * Math.sqrt(all.length) - 1) < 1e-6;
  return (
    <table class="mono arithmetic">
      <caption class="soft">
        The products, the largest first: what {answer.query.name.split(".").at(-1)} and{" "}
        {answer.key.name.split(".").at(-1)} hold for this pair
      </caption>
      <thead>
        <tr>
          <th scope="col">d_head</th>
          <th scope="col">q</th>
          <th scope="col">k</th>
          <th scope="col">q · k</th>
        </tr>
      </thead>
      <tbody>
        {listed.map((one) => (
          <tr key={one.at}>
            <th scope="row">
              <button
                type="button"
                class="link"
                title="Choose this number of the query in the map"
                onClick={() =>
                  choose(map, { tensor: answer.query.name, index: [query, of.head, one.at] }, true)
                }
              >
                {one.at}
              </button>
            </th>
            <td>{formatNumber(one.query)}</td>
            <td>{formatNumber(one.key)}</td>
            <td>{formatNumber(one.product)}</td>
          </tr>
        ))}
        {rest.count > 0 && <Line words={`the other ${rest.count}`} value={rest.sum} />}
      </tbody>
      <tfoot>
        <Line words={`sum of all ${all.length}`} value={sum} strong />
        <Line
          words={
            root
              ? `÷ √${all.length} = ÷ ${Number(Math.sqrt(all.length).toPrecision(4))}`
              : `× ${formatNumber(scale)}`
          }
          value={sum * scale}
        />
        {bias !== null && (
          <Line words={`+ bias of the distance, ${formatNumber(bias)}`} value={sum * scale + bias} />
        )}
        <Line
          words={`= score; the run has ${formatNumber(score)}, apart by ${formatNumber(Math.abs(difference), 2)}`}
          value={score}
          strong
        />
        {masked ? (
          <tr>
            <th scope="row" colSpan={3}>
              masked: {tokenText(tokens.keys[key] ?? "")} ({key}) may not be looked at from here
            </th>
            <td>−∞</td>
          </tr>
        ) : null}
        {share !== null && <Line words={`softmax over the row: its share`} value={share} strong />}
      </tfoot>
    </table>
  );
}

function Line({ words, value, strong = false }: { words: string; value: number; strong?: boolean }) {
  return (
    <tr class={strong ? "strong" : undefined}>
      <th scope="row" colSpan={3}>
        {words}
      </th>
      <td>{formatNumber(value)}</td>
    </tr>
  );
}
