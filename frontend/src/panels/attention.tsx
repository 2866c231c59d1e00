/** Who looks at whom: one head's map, drawn by the 3-D map's own shader, with the tokens on both axes. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber, tokenText } from "../format";
import type { Numbers } from "../net/npy";
import { ApiError, getActivations } from "../net/rest";
import type { MapView } from "../scene/types";
import {
  type AttentionStage,
  arrived,
  attention,
  graph,
  hovered,
  layersFilled,
  marked,
  rowsTaken,
  run,
  selected,
} from "../state";
import { readTokens } from "../state/run";
import { theme } from "../theme";
import { choose, useActions } from "./actions";
import { Exports } from "./exports";

const STAGES: readonly { stage: AttentionStage; word: string }[] = [
  { stage: "hook_attn_scores_raw", word: "scores" },
  { stage: "hook_attn_scores", word: "masked scores" },
  { stage: "hook_pattern", word: "pattern" },
];

/** Above this many tokens an axis names only some of them. */
const MOST_LABELS = 26;

export function Attention() {
  const { map } = useActions();
  const now = run.value;
  if (!now?.id || !graph.value) return <p class="soft">Attention comes with a run.</p>;
  const { layer, head, stage } = attention.value;
  const tensor = `blocks.${layer}.attn.${stage}`;
  return (
    <section aria-label="Attention" class="attention">
      <Pickers />
      {map && <Board map={map} tensor={tensor} />}
      <HeatMap key={`${now.id} ${tensor} ${head}`} tensor={tensor} head={head} />
      <Twin id={now.id} />
    </section>
  );
}

function set(change: Partial<typeof attention.value>, map: MapView | null, fly = false): void {
  attention.value = { ...attention.value, ...change };
  const { layer, head, stage } = attention.value;
  if (fly) map?.flyTo({ tensor: `blocks.${layer}.attn.${stage}`, index: [head, 0, 0] });
}

function Pickers() {
  const { map } = useActions();
  const { layer, head, stage } = attention.value;
  const heads = graph.value?.sizes.head ?? 1;
  return (
    <div class="pickers mono">
      <label>
        block{" "}
        <select value={layer} onChange={(event) => set({ layer: Number(event.currentTarget.value) }, map)}>
          {range(layersFilled.value.total).map((at) => (
            <option key={at} value={at}>
              {at}
            </option>
          ))}
        </select>
      </label>
      <label>
        head{" "}
        <select value={head} onChange={(event) => set({ head: Number(event.currentTarget.value) }, map)}>
          {range(heads).map((at) => (
            <option key={at} value={at}>
              {at}
            </option>
          ))}
        </select>
      </label>
      <label>
        stage{" "}
        <select
          value={stage}
          onChange={(event) => set({ stage: event.currentTarget.value as AttentionStage }, map)}
        >
          {STAGES.map(({ stage: value, word }) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
      </label>
      {map && (
        <button type="button" class="pill" onClick={() => set({}, map, true)}>
          Show in the map
        </button>
      )}
    </div>
  );
}

/** All heads of the layer, small: choose one. */
function Board({ map, tensor }: { map: MapView; tensor: string }) {
  return (
    <fieldset class="board" aria-label="Heads of this block">
      {range(graph.value?.sizes.head ?? 1).map((head) => (
        <button
          key={head}
          type="button"
          title={`head ${head}`}
          aria-label={`head ${head}`}
          aria-pressed={attention.value.head === head}
          onClick={() => set({ head }, map)}
        >
          <PlateCanvas map={map} tensor={tensor} head={head} />
        </button>
      ))}
    </fieldset>
  );
}

/** One head's plate in a canvas of its own, drawn again as its rows come. */
function PlateCanvas({ map, tensor, head }: { map: MapView; tensor: string; head: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = readTokens(run.value).length;
  const scale = run.value?.scales[tensor.split(".").at(-1) ?? ""];
  const redraw = `${rowsTaken(tensor).value} ${scale} ${theme.value} ${tensor} ${head} ${size}`;
  useEffect(() => {
    const target = canvas.current;
    if (!target || size === 0) return;
    const frame = requestAnimationFrame(() => {
      const pixels = Math.round(target.clientWidth * Math.min(2, window.devicePixelRatio));
      if (target.width !== pixels) {
        target.width = pixels;
        target.height = pixels;
      }
      map.drawPlate(target, { tensor, index: [head], rows: size, columns: size });
    });
    return () => cancelAnimationFrame(frame);
  }, [redraw, map]);
  return <canvas ref={canvas} class="plate" />;
}

function HeatMap({ tensor, head }: { tensor: string; head: number }) {
  const { map } = useActions();
  const size = readTokens(run.value).length;
  const { numbers, problem } = useNumbers(tensor, head, size);
  const box = useRef<HTMLDivElement>(null);
  const at = useSignal<readonly [number, number] | null>(null);
  const linked = linkedCell(tensor, head);
  const [row, column] = at.value ?? linked ?? [size - 1, 0];
  const point = (next: readonly [number, number] | null) => {
    at.value = next;
    marked.value = next ? [{ tensor, index: [head, ...next] }] : [];
  };
  const pointer = (event: PointerEvent | MouseEvent): readonly [number, number] => {
    const bounds = box.current!.getBoundingClientRect();
    const cell = (offset: number, extent: number) =>
      Math.max(0, Math.min(size - 1, Math.floor((offset / extent) * size)));
    return [cell(event.clientY - bounds.top, bounds.height), cell(event.clientX - bounds.left, bounds.width)];
  };
  const value = numbers?.values[row * (numbers.shape[1] ?? 0) + column];
  return (
    <>
      <div class="heat mono">
        <Labels side="top" marked={column} />
        <Labels side="left" marked={row} />
        <div
          ref={box}
          class="heat-map"
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cell
          tabIndex={0}
          aria-label="Attention map: rows are queries, columns are keys; the arrow keys move the cell"
          onPointerMove={(event) => point(pointer(event))}
          onPointerLeave={() => point(null)}
          onClick={(event) => choose(map, { tensor, index: [head, ...pointer(event)] }, true)}
          onKeyDown={(event) => {
            const next = neighbour([row, column], size, event.key);
            if (!next) return;
            event.preventDefault();
            point(next);
          }}
        >
          {map ? (
            <PlateCanvas map={map} tensor={tensor} head={head} />
          ) : (
            <span class="soft">See the table below.</span>
          )}
          {size > 0 && (
            <i
              class="cursor"
              style={{
                left: `${(100 * column) / size}%`,
                top: `${(100 * row) / size}%`,
                width: `${100 / size}%`,
                height: `${100 / size}%`,
              }}
            />
          )}
        </div>
      </div>
      <p class="soft note">Rows are queries (who looks), columns are keys (who is looked at).</p>
      <output class="mono readout" aria-live="polite">
        {tokenAt(row)} looks at {tokenAt(column)}: {value === undefined ? "…" : valueText(value)}
      </output>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {numbers && <RowTable numbers={numbers} row={row} />}
    </>
  );
}

/** The numbers of one query, as a table. */
function RowTable({ numbers, row }: { numbers: Numbers; row: number }) {
  const columns = numbers.shape[1] ?? 0;
  return (
    <details>
      <summary>Numbers of query {row} as a table</summary>
      <table class="mono">
        <thead>
          <tr>
            <th scope="col">key</th>
            <th scope="col">token</th>
            <th scope="col">value</th>
          </tr>
        </thead>
        <tbody>
          {range(columns).map((column) => (
            <tr key={column}>
              <th scope="row">{column}</th>
              <td>{tokenText(run.value?.tokens[column]?.text ?? "")}</td>
              <td>{valueText(numbers.values[row * columns + column] ?? Number.NaN)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Labels({ side, marked }: { side: "top" | "left"; marked: number }) {
  const tokens = readTokens(run.value);
  const every = Math.ceil(tokens.length / MOST_LABELS);
  return (
    <div class={`labels ${side}`} aria-hidden="true">
      {tokens.map((token, at) =>
        at % every === 0 || at === marked ? (
          <span
            key={at}
            class={at === marked ? "on" : undefined}
            style={{ [side === "top" ? "left" : "top"]: `${(100 * (at + 0.5)) / tokens.length}%` }}
          >
            {tokenText(token.text)}
          </span>
        ) : null,
      )}
    </div>
  );
}

/** The same head as a lens: numbers, a figure for a notebook, pictures for paper. */
function Twin({ id }: { id: string }) {
  const { layer, head, stage } = attention.value;
  const query = { layer: `${layer}`, head: `${head}`, stage: STAGE_WORDS[stage] };
  return <Exports run={id} lens="attention" query={query} />;
}

/** What the lens calls the stages. */
const STAGE_WORDS: Readonly<Record<AttentionStage, string>> = {
  hook_attn_scores_raw: "scores_raw",
  hook_attn_scores: "scores",
  hook_pattern: "pattern",
};

/** The head's exact numbers, fetched when it is there and again when it has grown. */
function useNumbers(
  tensor: string,
  head: number,
  size: number,
): { numbers: Numbers | null; problem: string | null } {
  const numbers = useSignal<Numbers | null>(null);
  const problem = useSignal<string | null>(null);
  const now = run.value;
  const id = now?.id ?? null;
  const settled = now?.phase !== "writing" && (now?.top.length ?? 0) > 0;
  const here = arrived.value.has(tensor);
  useEffect(() => {
    if (!id || !settled) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        numbers.value = await getActivations(id, tensor, [head, [0, size], [0, size]], abort.signal);
        problem.value = null;
      } catch (error) {
        if (error instanceof ApiError || error instanceof RangeError) problem.value = error.message;
        else if (!(error instanceof DOMException)) throw error;
      }
    }, 60);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [id, tensor, head, size, settled, here]);
  return { numbers: numbers.value, problem: problem.value };
}

/** The cell that the 3-D map points at or keeps, when it is one of this head. */
function linkedCell(tensor: string, head: number): readonly [number, number] | null {
  const cell = hovered.value ?? selected.value;
  if (cell?.tensor !== tensor || cell.index[0] !== head) return null;
  return [cell.index[1] ?? 0, cell.index[2] ?? 0];
}

function neighbour([row, column]: readonly [number, number], size: number, key: string) {
  const clamp = (at: number) => Math.max(0, Math.min(size - 1, at));
  if (key === "ArrowLeft") return [row, clamp(column - 1)] as const;
  if (key === "ArrowRight") return [row, clamp(column + 1)] as const;
  if (key === "ArrowUp") return [clamp(row - 1), column] as const;
  if (key === "ArrowDown") return [clamp(row + 1), column] as const;
  return null;
}

function tokenAt(at: number): string {
  const token = run.value?.tokens[at];
  return token ? `“${tokenText(token.text)}” (${at})` : `position ${at}`;
}

const valueText = (value: number) =>
  value === Number.NEGATIVE_INFINITY ? "masked (−∞)" : formatNumber(value);
const range = (count: number) => Array.from({ length: count }, (_, at) => at);
