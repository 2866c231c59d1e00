/** One block as arcs: queries on the left, keys on the right, a colour a head, as wide and as strong as the weight. Heads
 *  are switched off and on, one is looked at alone; a token that is pointed at shows its own arcs and their numbers. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { formatProbability, tokenText } from "../../format";
import type { Numbers } from "../../net/npy";
import { type Attention, headsShown, writeHeads } from "../../state/attention";
import { marked } from "../../state/store";
import { theme } from "../../theme";
import { choose, useActions } from "../shared/actions";
import {
  type Arc,
  arcsFrom,
  arcsOfColumn,
  arcsTo,
  type Block,
  headColour,
  isolated,
  LEAST,
  toggled,
} from "./arcs";
import type { AxisTokens } from "./attention-parts";
import { type Pointed, patternOf, useColumn, useRows } from "./use-arc-weights";

const LINE = 20;
const WIDTH = 118;

interface Props {
  readonly of: Attention;
  readonly tokens: AxisTokens;
  readonly detail: string;
  readonly onDetail: (detail: string) => void;
}

export function AttentionArcs({ of, tokens, detail, onDetail }: Props) {
  const { map } = useActions();
  const shown = headsShown(detail, of.heads);
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 480 });
  const hovered = useSignal<Pointed | null>(null);
  const kept = useSignal<Pointed | null>(null);
  const lines = Math.max(tokens.queries.length, tokens.keys.length);
  const first = Math.max(0, Math.floor(view.value.top / LINE));
  const last = Math.min(tokens.queries.length, Math.ceil((view.value.top + view.value.height) / LINE));
  const { blocks, problem } = useRows(of, tokens, first, last);
  const pointed = hovered.value ?? kept.value;
  useEffect(() => {
    kept.value = null;
    hovered.value = null;
  }, [of.tensor, lines]);
  useLayoutEffect(() => {
    const box = scroller.current!;
    const watch = new ResizeObserver(() => {
      view.value = { top: box.scrollTop, height: box.clientHeight };
    });
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  const point = (next: Pointed | null) => {
    hovered.value = next;
    marked.value = next ? [{ tensor: patternOf(of), index: cellsOf(next) }] : [];
  };
  const column = useColumn(of, tokens, pointed);
  const arcs = pointed && arcsOf(pointed, blocks, column, shown);
  const press = (event: KeyboardEvent) => {
    const now = pointed ?? { side: "query" as const, at: first };
    const count = now.side === "query" ? tokens.queries.length : tokens.keys.length;
    const next = stepped(now, event.key, count, tokens);
    if (event.key === "Escape") kept.value = null;
    else if (next) {
      hovered.value = null;
      kept.value = next;
      const box = scroller.current!;
      box.scrollTop = Math.max(
        (next.at + 2) * LINE - box.clientHeight,
        Math.min(box.scrollTop, next.at * LINE),
      );
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <HeadKeys heads={of.heads} shown={shown} onChange={(next) => onDetail(writeHeads(next, of.heads))} />
      <div class="arcs-head mono soft" aria-hidden="true">
        <span>queries: who looks</span>
        <span>keys: looked at</span>
      </div>
      <div
        ref={scroller}
        class="arcs mono"
        role="application"
        aria-label="Arcs from queries on the left to keys on the right. Up and down choose a token, left and right the side, Escape lets go"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys choose a token
        tabIndex={0}
        onScroll={(event) => {
          view.value = { top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight };
        }}
        onPointerLeave={() => point(null)}
        onKeyDown={press}
      >
        <div class="arcs-sheet" style={{ height: `${lines * LINE}px` }}>
          <Column
            side="query"
            texts={tokens.queries}
            pointed={pointed}
            point={point}
            keep={kept}
            arcs={arcs}
          />
          <Picture
            blocks={blocks}
            shown={shown}
            heads={of.heads}
            arcs={arcs}
            top={view.value.top}
            height={view.value.height}
            first={first}
            last={last}
          />
          <Column side="key" texts={tokens.keys} pointed={pointed} point={point} keep={kept} arcs={arcs} />
        </div>
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem.message} {problem.hint}
        </p>
      )}
      <Weights
        arcs={arcs}
        pointed={pointed}
        tokens={tokens}
        heads={of.heads}
        onChoose={({ head, query, key }) =>
          choose(map, { tensor: patternOf(of), index: [head, query, key] }, true)
        }
      />
      <p class="soft note">
        Width and strength are the weight; arcs under {LEAST} are left out until a token is pointed at. Click
        a token to keep its arcs.
      </p>
    </>
  );
}

const cellsOf = ({ side, at }: Pointed) => (side === "query" ? [null, at, null] : [null, null, at]);

function stepped({ side, at }: Pointed, key: string, count: number, tokens: AxisTokens): Pointed | null {
  if (key === "ArrowUp") return { side, at: Math.max(0, at - 1) };
  if (key === "ArrowDown") return { side, at: Math.min(count - 1, at + 1) };
  if (key === "Home") return { side, at: 0 };
  if (key === "End") return { side, at: count - 1 };
  if (key === "ArrowLeft") return { side: "query", at: Math.min(at, tokens.queries.length - 1) };
  if (key === "ArrowRight") return { side: "key", at: Math.min(at, tokens.keys.length - 1) };
  return null;
}

/** One button a head: click switches it, a double click leaves it alone (or brings all back). */
function HeadKeys(props: {
  readonly heads: number;
  readonly shown: ReadonlySet<number>;
  readonly onChange: (shown: ReadonlySet<number>) => void;
}) {
  const { heads, shown, onChange } = props;
  return (
    <fieldset class="head-keys mono" aria-label="Heads: a click switches one, a double click shows it alone">
      {Array.from({ length: heads }, (_, head) => (
        <button
          key={head}
          type="button"
          aria-pressed={shown.has(head)}
          aria-label={`head ${head}`}
          title={`head ${head}: click switches it, double click (or Shift and Enter) shows it alone`}
          style={{ "--head": headColour(head, heads, theme.value) }}
          onClick={(event) => {
            // The second click of a double one would undo the first.
            if (event.detail > 1) onChange(isolated(shown, head, heads));
            else onChange(event.shiftKey ? isolated(shown, head, heads) : toggled(shown, head));
          }}
        >
          {head}
        </button>
      ))}
      <button
        type="button"
        class="link"
        onClick={() => onChange(new Set(Array.from({ length: heads }, (_, at) => at)))}
      >
        all
      </button>
      <button type="button" class="link" onClick={() => onChange(new Set())}>
        none
      </button>
    </fieldset>
  );
}

interface ColumnProps {
  readonly side: "query" | "key";
  readonly texts: readonly string[];
  readonly pointed: Pointed | null;
  readonly point: (next: Pointed | null) => void;
  readonly keep: { value: Pointed | null };
  /** The arcs of the token pointed at. */
  readonly arcs: readonly Arc[] | null;
}

function Column({ side, texts, pointed, point, keep, arcs }: ColumnProps) {
  const other = pointed !== null && pointed.side !== side;
  const sums = new Map<number, number>();
  if (other)
    for (const arc of arcs ?? []) {
      const at = side === "query" ? arc.query : arc.key;
      sums.set(at, Math.max(sums.get(at) ?? 0, arc.weight));
    }
  return (
    <ol class={side}>
      {texts.map((text, at) => {
        const on = pointed?.side === side && pointed.at === at;
        const weight = sums.get(at) ?? 0;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the whole picture
          <li
            key={at}
            class={on ? "on" : undefined}
            style={{ height: `${LINE}px`, opacity: other && weight < LEAST ? 0.35 : 1 }}
            data-at={at}
            onPointerEnter={() => point({ side, at })}
            onClick={() => {
              const same = keep.value?.side === side && keep.value.at === at;
              keep.value = same ? null : { side, at };
            }}
          >
            {tokenText(text)}
          </li>
        );
      })}
    </ol>
  );
}

interface PictureProps {
  readonly blocks: readonly Block[];
  readonly shown: ReadonlySet<number>;
  readonly heads: number;
  /** Those of the token pointed at; null where none is, and all are drawn. */
  readonly arcs: readonly Arc[] | null;
  readonly top: number;
  readonly height: number;
  readonly first: number;
  readonly last: number;
}

/** The rows of the arcs that are in view. */
function Picture({ blocks, shown, heads, arcs, top, height, first, last }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shade = theme.value;
  useLayoutEffect(() => {
    const target = canvas.current;
    const pen = target?.getContext("2d");
    if (!target || !pen) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    target.width = WIDTH * ratio;
    target.height = height * ratio;
    pen.scale(ratio, ratio);
    pen.translate(0, -top);
    const colours = Array.from({ length: heads }, (_, head) => headColour(head, heads, shade));
    const drawn: Arc[] = [...(arcs ?? [])];
    if (!arcs)
      for (let query = first; query < last; query++) drawn.push(...arcsFrom(blocks, query, shown, LEAST));
    for (const { head, query, key, weight } of drawn) {
      const [from, to] = [(query + 0.5) * LINE, (key + 0.5) * LINE];
      pen.beginPath();
      pen.moveTo(0, from);
      pen.bezierCurveTo(WIDTH * 0.45, from, WIDTH * 0.55, to, WIDTH, to);
      pen.strokeStyle = colours[head]!;
      pen.globalAlpha = 0.03 + 0.9 * weight;
      pen.lineWidth = 0.5 + 3.5 * weight;
      pen.stroke();
    }
  });
  return (
    <canvas
      ref={canvas}
      class="arcs-picture"
      style={{ width: `${WIDTH}px`, height: `${height}px`, top: `${top}px` }}
    />
  );
}

interface WeightsProps {
  readonly arcs: readonly Arc[] | null;
  readonly pointed: Pointed | null;
  readonly tokens: AxisTokens;
  readonly heads: number;
  readonly onChoose: (arc: Arc) => void;
}

const LISTED = 8;

/** The numbers of the token that is pointed at, the largest first. */
function Weights({ arcs, pointed, tokens, heads, onChoose }: WeightsProps) {
  if (!arcs || !pointed)
    return (
      <output class="mono readout" aria-live="polite">
        Point at a token for its weights.
      </output>
    );
  const largest = [...arcs].sort((a, b) => b.weight - a.weight).slice(0, LISTED);
  const texts = pointed.side === "query" ? tokens.queries : tokens.keys;
  const others = pointed.side === "query" ? tokens.keys : tokens.queries;
  return (
    <output class="mono readout weights" aria-live="polite">
      <b>
        “{tokenText(texts[pointed.at] ?? "")}” ({pointed.at}){" "}
        {pointed.side === "query" ? "looks at" : "is looked at by"}
      </b>
      <ul>
        {largest.map((arc) => {
          const at = pointed.side === "query" ? arc.key : arc.query;
          return (
            <li key={`${arc.head} ${at}`}>
              <button
                type="button"
                class="link"
                title="Choose this cell in the map"
                onClick={() => onChoose(arc)}
              >
                <i style={{ background: headColour(arc.head, heads, theme.value) }} />
                head {arc.head}
                <span class="other">
                  “{tokenText(others[at] ?? "")}” ({at})
                </span>
                <span>{formatProbability(arc.weight)}</span>
              </button>
            </li>
          );
        })}
        {largest.length === 0 && <li>nothing of the heads shown</li>}
      </ul>
    </output>
  );
}

/** The arcs of a token: of a key, those of its whole column once it has come. */
function arcsOf(
  { side, at }: Pointed,
  blocks: readonly Block[],
  column: { readonly key: number; readonly numbers: Numbers } | null,
  shown: ReadonlySet<number>,
): readonly Arc[] {
  if (side === "query") return arcsFrom(blocks, at, shown, 0);
  return column?.key === at ? arcsOfColumn(column.numbers, at, shown) : arcsTo(blocks, at, shown, 0);
}
