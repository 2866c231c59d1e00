/** One head as a matrix: who looks at whom, as scores, masked scores or shares. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../../format";
import { maskOf } from "../../graph/attentions";
import { findTensor } from "../../graph/shape";
import type { Tile } from "../../net/tiles";
import type { Attention } from "../../state/attention";
import { source } from "../../state/source";
import { type Cell, graph, hovered, marked, run, selected } from "../../state/store";
import { choose, useActions } from "../shared/actions";
import { useCellValue } from "../shared/cell-value";
import { useFlow } from "../shared/use-latest";
import { type AxisTokens, fullColour, keyPlace, queryPlace } from "./attention-parts";
import { type Cells, joined, type Picture, tilesOf, valueIn } from "./matrix-part";
import { MatrixView } from "./matrix-view";

interface Props {
  readonly of: Attention;
  readonly tokens: AxisTokens;
}

interface MatrixProps extends Props {
  /** The cell that is read before any is pointed at. */
  readonly start: readonly [query: number, key: number] | null;
  /** Opens the arithmetic of a cell's score. */
  readonly onPair: (pair: readonly [query: number, key: number]) => void;
}

export function AttentionMatrix({ of, tokens, start, onPair }: MatrixProps) {
  const { map } = useActions();
  const view = useSignal<{ cells: Cells; level: number } | null>(null);
  const { tensor, head } = of;
  const { picture, stale, problem } = usePicture(of, view.value, tokens);
  const cellAt = ([query, key]: readonly [number, number]): Cell => ({ tensor, index: [head, query, key] });
  return (
    <>
      <MatrixView
        label="Attention map"
        axes={["query", "key"]}
        rows={tokens.queries}
        columns={tokens.keys}
        hue={findTensor(graph.value!, tensor)!.role}
        full={fullColour(tensor)}
        picture={picture}
        stale={stale}
        onView={(cells, level) => {
          view.value = { cells, level };
        }}
        start={start}
        linked={linkedCell(tensor, head)}
        onPoint={(cell) => {
          marked.value = cell ? [cellAt(cell)] : [];
        }}
        onOpen={onPair}
        onChoose={(cell) => choose(map, cellAt(cell), true)}
      >
        {(cell) => (
          <>
            <Reading of={of} tokens={tokens} at={cell} held={picture && valueIn(picture, ...cell)} />{" "}
            <button type="button" class="link why-weight" onClick={() => onPair(cell)}>
              query · key
            </button>
          </>
        )}
      </MatrixView>
      {problem && (
        <p class="problem" role="alert">
          {problem.message} {problem.hint}
        </p>
      )}
    </>
  );
}

interface ReadingProps extends Props {
  readonly at: readonly [number, number];
  readonly held: number | null;
}

/** Puts a cell into words. */
function Reading({ of, tokens, at: [query, key], held }: ReadingProps) {
  const masked = maskOf(graph.value!, of.module)?.(query, key) ?? false;
  const cell = { tensor: of.tensor, index: [of.head, query, key] };
  const { value } = useCellValue(tokens.rowsHere ? cell : null, held);
  const text =
    value === null
      ? "…"
      : masked && of.stage !== "hook_attn_scores_raw"
        ? `masked (${formatNumber(value === Number.NEGATIVE_INFINITY ? value : 0)})`
        : formatNumber(value);
  return (
    <>
      {queryPlace(tokens, query)} looks at {keyPlace(tokens, key)}: <b>{text}</b>
    </>
  );
}

/** Gathers what is drawn of the head: the tiles of what is in view, fetched as the run grows. */
function usePicture(
  { module, tensor, head, stage }: Attention,
  view: { cells: Cells; level: number } | null,
  tokens: AxisTokens,
): { picture: Picture | null; stale: boolean; problem: { message: string; hint: string } | null } {
  const [now, from] = [run.value, source.value];
  const count = `${tokens.queries.length} ${tokens.keys.length} ${now?.phase}`;
  const ready = from && tokens.rowsHere;
  const place = ready && view ? `${from.key} ${tensor} ${head}` : null;
  const flow = useFlow(place, `${count} ${view && JSON.stringify(view)}`, async (signal) => {
    const { cells, level } = view!;
    const tiles = await Promise.all(
      tilesOf(cells, level).map(async (at): Promise<[string, Tile]> => {
        const tile = await keptTile(`${place} ${count}`, () => from!.tile(tensor, head, at, signal), at);
        return [`${at.level} ${at.row} ${at.column}`, tile];
      }),
    );
    const mask = stage === "hook_pattern" ? maskOf(graph.value!, module) : null;
    return joined(cells, level, new Map(tiles), mask);
  });
  return { picture: flow.value, stale: flow.place !== place, problem: flow.problem };
}

const KEPT = 96;
const kept = new Map<string, Tile>();

/** A tile seen lately, or a new one. */
async function keptTile(
  of: string,
  get: () => Promise<Tile>,
  { level, row, column }: { level: number; row: number; column: number },
): Promise<Tile> {
  const key = `${of} ${level} ${row} ${column}`;
  const tile = kept.get(key) ?? (await get());
  kept.delete(key);
  kept.set(key, tile);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return tile;
}

/** The cell that the 3-D map points at or keeps, when it is one of this head. */
function linkedCell(tensor: string, head: number): readonly [number, number] | null {
  const cell = hovered.value ?? selected.value;
  if (cell?.tensor !== tensor || cell.index[0] !== head) return null;
  return [cell.index[1] ?? 0, cell.index[2] ?? 0];
}
