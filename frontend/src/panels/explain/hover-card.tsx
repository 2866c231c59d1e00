/** The card at the pointer: which cell this is, its formula, what it reads in small coloured cells, and its value.
 *  The geometry is there at once; formula and exact number follow from the server. Kept inside the window. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../format";
import { boxSize, type CellBox } from "../../graph/cells";
import { findTensor, opMaking, shapeAt } from "../../graph/shape";
import type { TensorInfo } from "../../graph/types";
import type { Explanation } from "../../net/explain";
import type { PlacesPort } from "../../scene/ports";
import type { CellPattern } from "../../scene/types";
import { knownFormula } from "../../session/explanations";
import { comparison, hueOf } from "../../state/difference";
import { lit, pins, played } from "../../state/explain";
import { dockWidth } from "../../state/lenses";
import { reading } from "../../state/source";
import { graph, hovered, type PointedCell, panel } from "../../state/store";
import { useDifference } from "../compare/use-difference";
import { useActions } from "../shared/actions";
import { boxPattern, cardMoved } from "../shared/callouts";
import { emptyWords, maskWords, placeWords, shortLabel, shortName } from "../shared/cell-words";
import { Formula, mathReady } from "../shared/math";
import { useExplanation } from "../shared/use-explanation";
import { Strip } from "./mini-heatmap";

/** Pixels between pointer and card, and on which sides of it: right and down. */
const AWAY = [26, 64, 120, 190];
const SIDES = [-1, 0, 1].flatMap((right) =>
  [-1, 0, 1].map((down) => [right, down] as const).filter(([, down]) => right !== 0 || down !== 0),
);
/** How bad a pixel of distance is, where a covered neighbour is 1. */
const PER_PIXEL = 0.004;
/** Cells before and after the one that is pointed at that are to be seen; those of other heads are elsewhere. */
const NEIGHBOURS = [-12, -8, -5, -3, -2, -1, 1, 2, 3, 5, 8, 12];
const HEADS = new Set(["head", "kv_head"]);
const MOST_KEPT_CLEAR = 8;
/** The pointer has to rest this long before the server is asked, and before a screen reader is told. */
const REST = 16;
const CALM = 500;

export function HoverCard() {
  // Over cells that fly, a card would tell of what happens to lie under the pointer, and hide them.
  const cell = played.value?.running ? null : hovered.value;
  return (
    <>
      {cell && <Card cell={cell} />}
      <Spoken cell={cell} />
    </>
  );
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function Card({ cell }: { cell: PointedCell }) {
  const { map } = useActions();
  const now = graph.value;
  const info = now && findTensor(now, cell.tensor);
  const card = useRef<HTMLDivElement>(null);
  const { answer } = useExplanation({ tensor: cell.tensor, index: cell.index }, "backward", REST);
  // Placed again once the formula is typeset, and when a panel takes room from the map.
  void [mathReady.value, panel.value, pins.value, dockWidth.value];
  useLayoutEffect(() => {
    if (card.current)
      placeCard(card.current, cell, pointsToKeepClear(map, info, lit.value?.boxes ?? [], cell));
  });
  if (!info) return null;
  const boxes = lit.value?.boxes ?? [];
  const formula = answer?.op?.latex_marked ?? knownFormula(cell.tensor);
  const hidden = maskWords(now, cell);
  const reads = opMaking(now, info.same_as && !info.transposed ? info.same_as : info.name)?.reads ?? [];
  const roles = reads.map(({ tensor }) => findTensor(now, tensor)?.role ?? "activation");
  return (
    <div class="hover-card" ref={card} aria-hidden="true" style={{ maxWidth: `${widest()}px` }}>
      <div class="mono">
        {shortName(info)} <span class="soft">{placeWords(info, cell.index)}</span>
      </div>
      {hidden && <div class="why">{hidden}</div>}
      {formula && !hidden && <Formula latex={formula} roles={roles} fit />}
      {boxes.length > 0 && (
        <div class="operands mono">
          {boxes.map((box) => (
            <OperandChip key={`${box.tensor} ${box.part}`} box={box} />
          ))}
        </div>
      )}
      <div class={`result mono ${hueOf(info.role)}`}>
        <Strip box={{ tensor: cell.tensor, start: cell.index, stop: cell.index.map((at) => at + 1) }} />
        {comparison.value && info.role !== "weight" ? (
          <Less cell={cell} info={info} />
        ) : (
          (numberWords(cell.value, answer) ?? emptyWords(info, cell.index))
        )}
      </div>
    </div>
  );
}

/** The difference, and both numbers it is of. */
function Less({ cell, info }: { cell: PointedCell; info: TensorInfo }) {
  const { here, there, less, alone } = useDifference(cell, info);
  if (alone) return <span>no partner: a token of it is not in the other text</span>;
  if (less === null) return <span>not here yet</span>;
  return (
    <span>
      = {formatNumber(less)}
      <span class="both soft">
        {formatNumber(here)} here − {formatNumber(there)} there
      </span>
    </span>
  );
}

/**
 * The exact number when it has come, until then the map's own where its half precision reaches. JSON has no infinity:
 * of an exact number that is none, the map knows which. Null where there is no number.
 */
function numberWords(held: number | null, answer: Explanation | null): string | null {
  const exact = answer?.captured ?? null;
  if (exact !== null) return `= ${formatNumber(exact)}`;
  if (held === null) return null;
  if (answer) return `= ${formatNumber(held)}`;
  return Number.isFinite(held) ? `≈ ${formatNumber(held)}` : "…";
}

function OperandChip({ box }: { box: CellBox }) {
  const info = graph.value && findTensor(graph.value, box.tensor);
  if (!info) return null;
  const count = boxSize(box);
  return (
    <span class={info.role}>
      <Strip box={box} most={12} />
      {shortLabel(info)}
      {count > 1 && <span class="soft"> {count}</span>}
    </span>
  );
}

/** Off to the side of the pointer, where it covers the least of what is spoken of and of the row and the column that the
 *  cell stands in; of places as good the nearest. */
function placeCard(card: HTMLElement, { x, y }: PointedCell, points: readonly Weighed[]): void {
  const { width, height } = card.getBoundingClientRect();
  const room = roomFor(width, height);
  const places = AWAY.flatMap((away) =>
    SIDES.map(([right, down]) => ({
      left: x + right * away + ((right - 1) * width) / 2,
      top: y + down * away + ((down - 1) * height) / 2,
    })),
  ).map(({ left, top }) => ({
    left: Math.max(room.left, Math.min(left, room.right - width)),
    top: Math.max(room.top, Math.min(top, room.bottom - height)),
  }));
  const cost = ({ left, top }: { left: number; top: number }): number =>
    points
      .filter((at) => at.x > left - 8 && at.x < left + width + 8 && at.y > top - 8 && at.y < top + height + 8)
      .reduce((sum, { weight }) => sum + weight, 0) +
    Math.hypot(left + width / 2 - x, top + height / 2 - y) * PER_PIXEL;
  const best = places.reduce((one, other) => (cost(other) < cost(one) ? other : one));
  // Not by `left` and `top`: these make the page lay itself out once more.
  const transform = `translate(${Math.round(best.left)}px, ${Math.round(best.top)}px)`;
  if (card.style.transform === transform) return;
  card.style.transform = transform;
  cardMoved.value += 1;
}

const canvasOfMap = (): Element | null => document.querySelector(".map canvas");

const WIDE = 460;
const NARROW = 260;

/** Within the map, unless it is too narrow to read in. */
function widest(): number {
  const map = canvasOfMap()?.clientWidth ?? WIDE;
  return Math.min(WIDE, Math.max(NARROW, map - 16), window.innerWidth - 16);
}

/** The map's own place where the card fits into it, else the window. */
function roomFor(
  width: number,
  height: number,
): { left: number; top: number; right: number; bottom: number } {
  const own = canvasOfMap()?.getBoundingClientRect();
  if (own && own.width > width + 8 && own.height > height + 8)
    return { left: own.left + 4, top: own.top + 4, right: own.right - 4, bottom: own.bottom - 4 };
  return { left: 4, top: 4, right: window.innerWidth - 4, bottom: window.innerHeight - 4 };
}

/** A point of the window, and how bad it is to cover it. */
interface Weighed extends Point {
  readonly weight: number;
}

/** The pointer, the middles and ends of what is read, and the cell's neighbours along each of its axes. */
function pointsToKeepClear(
  map: PlacesPort | null,
  info: TensorInfo | null | undefined,
  boxes: readonly CellBox[],
  { x, y, tensor, index }: PointedCell,
): readonly Weighed[] {
  const own = canvasOfMap()?.getBoundingClientRect();
  const read = boxes.slice(0, MOST_KEPT_CLEAR).flatMap((box) => {
    const [first, last] = [box.start, box.stop.map((end) => end - 1)];
    return [boxPattern(box), { tensor: box.tensor, index: first }, { tensor: box.tensor, index: last }];
  });
  // Room for tokens to come may be covered.
  const shape = info ? shapeAt(info, reading.peek().positions) : [];
  const beside = index.flatMap((at, axis) =>
    NEIGHBOURS.map((step) => at + step)
      .filter((to) => to >= 0 && to < (shape[axis] ?? 0) && !HEADS.has(info?.axes[axis] ?? ""))
      .map((to) => ({ tensor, index: index.map((one, other) => (other === axis ? to : one)) })),
  );
  const seen = (cells: readonly CellPattern[], weight: number): readonly Weighed[] =>
    cells.flatMap((cell) => {
      const at = map?.project(cell);
      return at ? [{ x: at.x + (own?.left ?? 0), y: at.y + (own?.top ?? 0), weight }] : [];
    });
  return [{ x, y, weight: 4 }, ...seen(read, 3), ...seen(beside, 1)];
}

/** What the pointer rests on, for screen readers: said when it has rested. */
function Spoken({ cell }: { cell: PointedCell | null }) {
  const said = useSignal("");
  useEffect(() => {
    const timer = window.setTimeout(() => {
      const info = cell && graph.value && findTensor(graph.value, cell.tensor);
      said.value =
        info && cell.value !== null
          ? `${cell.tensor}, ${placeWords(info, cell.index)}: ${comparison.value && info.role !== "weight" ? "difference " : ""}${formatNumber(cell.value)}`
          : "";
    }, CALM);
    return () => window.clearTimeout(timer);
  }, [cell?.tensor, cell?.index.join(" "), cell?.value]);
  return (
    <div class="unseen" aria-live="polite">
      {said.value}
    </div>
  );
}
