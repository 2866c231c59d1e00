/** All heads of an attention as small maps: in their places, or sorted and sifted by what single numbers say of them. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../../format";
import { getLens, type HeadMeasures, type LensBoard, type LensHeadMeasures } from "../../net/lenses";
import { type Attention, type BoardOrder, readOrder, writeOrder } from "../../state/attention";
import { rests } from "../../state/run";
import { run } from "../../state/store";
import { useFlow } from "../shared/use-latest";
import { type BoardHead, extent, orderedHeads } from "./board-order";
import { SmallMap } from "./small-map";

export const MEASURES: Readonly<Record<string, string>> = {
  entropy: "entropy (bits)",
  distance: "mean distance",
  previous: "to the previous token",
  first: "to the first token",
  induction: "induction",
  duplicate: "duplicate token",
};

interface Props {
  readonly of: Attention;
  readonly detail: string;
  readonly onDetail: (detail: string) => void;
  readonly onOpen: (layer: number, head: number) => void;
}

export function AttentionBoard({ of, detail, onDetail, onOpen }: Props) {
  const board = useBoard(of.part, null);
  const repeated = useRepeated(of.part, board.value !== null);
  const least = useSignal<number | null>(null);
  const pointed = useSignal<BoardHead | null>(null);
  const shown = board.value;
  const order = readOrder(detail);
  const problem = board.problem ?? repeated.problem;
  if (problem)
    return (
      <p class="problem" role="alert">
        {problem.message} {problem.hint}
      </p>
    );
  if (!shown)
    return <p class="soft">{run.value?.phase === "writing" ? "Waits until the writer rests." : "…"}</p>;
  const measures: HeadMeasures = { ...shown.measures, ...repeated.value?.measures };
  const heads = orderedHeads(shown.layers.length, of.heads, measures, order, least.value);
  const reorder = (next: BoardOrder) => {
    if (next.measure !== order.measure) least.value = null;
    onDetail(writeOrder(next));
  };
  const at = pointed.value;
  return (
    <>
      <Order
        order={order}
        measures={measures}
        least={least.value}
        count={heads.length}
        total={shown.layers.length * of.heads}
        onOrder={reorder}
        onLeast={(value) => {
          least.value = value;
        }}
      />
      <Missing order={order} measures={measures} repeated={repeated.value} part={of.part} />
      {order.measure === "induction" && <Weak best={measures.induction} />}
      <output class="mono readout board-reading" aria-live="polite">
        {at
          ? `block ${shown.layers[at.row]} · head ${at.head}: ${said(measures, at)}`
          : "Point at a head for its measures; click opens it."}
      </output>
      <Heads
        board={shown}
        heads={heads}
        across={of.heads}
        sorted={order.measure !== null}
        current={of}
        onOpen={onOpen}
        onPoint={(head) => {
          pointed.value = head;
        }}
      />
      <p class="soft note">
        Queries downward, keys to the right. In every map the strongest cell has the full colour: shapes can
        be compared, shades between maps cannot.{" "}
        {`“${shown.layers[0]}·0” is short for block ${shown.layers[0]}, head 0.`}
        {shown.size[0] === 24 && " Longer texts are pooled to 24 cells a side."}
      </p>
    </>
  );
}

/** The small maps of an attention, of one block or of all; they follow the run whenever it rests. */
export function useBoard(part: string, layer: number | null, wanted = true) {
  const now = run.value;
  const rested = wanted && now?.id && rests(now);
  const place = rested ? `${now.id} ${part} ${layer}` : null;
  return useFlow(place, `${now?.tokens.length}`, (signal) =>
    getLens<LensBoard>(
      now!.id!,
      "attention_board",
      { part, ...(layer === null ? {} : { layer: `${layer}` }) },
      signal,
    ),
  );
}

/** Follows the board with what is measured in a run of its own. */
function useRepeated(part: string, after: boolean) {
  const now = run.value;
  const place = after && now?.id && part !== "cross" ? `${now.id} ${part}` : null;
  return useFlow(place, `${now?.tokens.length}`, (signal) =>
    getLens<LensHeadMeasures>(now!.id!, "head_measures", { part }, signal),
  );
}

const said = (measures: HeadMeasures, { row, head }: BoardHead) =>
  Object.entries(measures)
    .map(([name, values]) => `${MEASURES[name] ?? name} ${textOf(values[row]?.[head] ?? null)}`)
    .join(", ");

const textOf = (value: number | null) => (value === null ? "–" : formatNumber(value, 3));

interface OrderProps {
  readonly order: BoardOrder;
  readonly measures: HeadMeasures;
  readonly least: number | null;
  readonly count: number;
  readonly total: number;
  readonly onOrder: (order: BoardOrder) => void;
  readonly onLeast: (least: number | null) => void;
}

function Order({ order, measures, least, count, total, onOrder, onLeast }: OrderProps) {
  const reach = order.measure === null ? null : extent(measures[order.measure]);
  return (
    <div class="pickers mono">
      <label>
        sorted by{" "}
        <select
          aria-label="sorted by"
          value={order.measure ?? ""}
          onChange={(event) => onOrder({ ...order, measure: event.currentTarget.value || null })}
        >
          <option value="">place</option>
          {order.measure !== null && !measures[order.measure] && (
            <option value={order.measure}>{MEASURES[order.measure] ?? order.measure}</option>
          )}
          {Object.keys(measures).map((name) => (
            <option key={name} value={name}>
              {MEASURES[name] ?? name}
            </option>
          ))}
        </select>
      </label>
      {order.measure !== null && (
        <button type="button" class="link" onClick={() => onOrder({ ...order, upward: !order.upward })}>
          {order.upward ? "least first" : "largest first"}
        </button>
      )}
      {reach && reach[1] > reach[0] && (
        <label class="least">
          at least <b>{formatNumber(least ?? reach[0], 3)}</b>
          <input
            type="range"
            min={reach[0]}
            max={reach[1]}
            step={(reach[1] - reach[0]) / 200}
            value={least ?? reach[0]}
            onInput={(event) => {
              const value = Number(event.currentTarget.value);
              onLeast(value <= reach[0] ? null : value);
            }}
          />
          {count} of {total} heads
        </label>
      )}
    </div>
  );
}

interface MissingProps {
  readonly order: BoardOrder;
  readonly measures: HeadMeasures;
  readonly repeated: LensHeadMeasures | null;
  readonly part: string;
}

/** Why there is no induction score, or no such measure as the one asked for. */
function Missing({ order, measures, repeated, part }: MissingProps) {
  const reason =
    part === "cross"
      ? "its queries and keys are of two texts, and nothing in one is before or after the other"
      : repeated?.sequence_reason;
  const unknown = order.measure !== null && !(order.measure in MEASURES);
  const absent = order.measure !== null && !measures[order.measure] && (part === "cross" || repeated);
  if (unknown || absent)
    return (
      <p class="problem" role="alert">
        There is no measure “{order.measure}” here{reason && !unknown ? `: ${reason}` : ""}. Use one of:{" "}
        {Object.keys(measures).join(", ")}.
      </p>
    );
  if (reason) return <p class="soft note">Not measured for induction: {reason}.</p>;
  return null;
}

/** A head that gives less than this to what followed before is no induction head to speak of; a perfect one gives 1. */
const CLEARLY = 0.3;

function Weak({ best: all }: { best: HeadMeasures[string] | undefined }) {
  const best = Math.max(...(all ?? []).flat().map((value) => value ?? 0));
  if (!all || best >= CLEARLY) return null;
  return (
    <p class="soft note">
      No head of this model does this clearly: the best has {formatNumber(best, 3)}, where a perfect one would
      have 1.
    </p>
  );
}

interface HeadsProps {
  readonly board: LensBoard;
  readonly heads: readonly BoardHead[];
  /** Heads of a block: the columns, when they stand in their places. */
  readonly across: number;
  readonly sorted: boolean;
  readonly current: Attention;
  readonly onOpen: (layer: number, head: number) => void;
  readonly onPoint: (head: BoardHead | null) => void;
}

function Heads({ board, heads, across, sorted, current, onOpen, onPoint }: HeadsProps) {
  const focused = useSignal(0);
  const place = Math.min(focused.value, heads.length - 1);
  const press = (event: KeyboardEvent & { readonly currentTarget: HTMLElement }) => {
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    const wide = buttons.filter(({ offsetTop }) => offsetTop === buttons[0]?.offsetTop).length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[place + by];
    if (!next) return;
    focused.value = place + by;
    next.focus();
  };
  return (
    <fieldset
      class={`small-maps mono${sorted ? " sorted" : ""}`}
      style={{ "--across": across }}
      aria-label="All heads: the arrow keys move, Enter opens one"
      onKeyDown={press}
      onPointerLeave={() => onPoint(null)}
    >
      {heads.map((one, at) => {
        const layer = board.layers[one.row]!;
        const name = `block ${layer}, head ${one.head}`;
        return (
          <button
            key={`${one.row} ${one.head}`}
            type="button"
            tabIndex={at === place ? 0 : -1}
            aria-pressed={layer === current.layer && one.head === current.head}
            data-head={`${layer}.${one.head}`}
            onPointerEnter={() => onPoint(one)}
            onFocus={() => onPoint(one)}
            onClick={() => onOpen(layer, one.head)}
          >
            <SmallMap values={board.maps[one.row]![one.head]!} />
            <span class="name">
              {layer}·{one.head}
              {sorted && <b>{textOf(one.value)}</b>}
            </span>
            <span class="unseen">, {name}</span>
          </button>
        );
      })}
    </fieldset>
  );
}

/** The heads of one block beside the matrix of one of them. */
export function BlockHeads({
  of,
  board,
  onOpen,
}: {
  of: Attention;
  board: LensBoard | null;
  onOpen: (head: number) => void;
}) {
  const maps = board?.maps[0];
  if (of.heads === 1) return null;
  return (
    <fieldset class="block-heads" aria-label="Heads of this block">
      {Array.from({ length: of.heads }, (_, head) => (
        <button
          key={head}
          type="button"
          title={`head ${head}`}
          aria-label={`head ${head}`}
          aria-pressed={head === of.head}
          onClick={() => onOpen(head)}
        >
          {maps?.[head] && <SmallMap values={maps[head]} />}
        </button>
      ))}
    </fieldset>
  );
}
