/** The card at the pointer: which cell this is, its formula, what it reads in small coloured cells, and its value.
 *  The geometry is there at once; formula and exact number follow from the server. Kept inside the window. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../format";
import { boxSize, type CellBox } from "../graph/cells";
import { findTensor } from "../graph/shape";
import { labelOf } from "../layout/labels";
import { knownFormula } from "../session/explanations";
import { graph, hovered, type PointedCell } from "../state";
import { lit } from "../state/explain";
import { useCellValue } from "./cell-value";
import { maskWords, placeWords, shortName } from "./cell-words";
import { Formula } from "./math";
import { Strip } from "./strip";
import { useExplanation } from "./use-explanation";

const GAP = 18;
/** The pointer has to rest this long before the server is asked, and before a screen reader is told. */
const REST = 40;
const CALM = 500;

export function HoverCard() {
  const cell = hovered.value;
  return (
    <>
      {cell && <Card cell={cell} />}
      <Spoken cell={cell} />
    </>
  );
}

function Card({ cell }: { cell: PointedCell }) {
  const now = graph.value;
  const info = now && findTensor(now, cell.tensor);
  const card = useRef<HTMLDivElement>(null);
  const { value, approximate } = useCellValue(cell, cell.value);
  const { answer } = useExplanation({ tensor: cell.tensor, index: cell.index }, "backward", REST);
  useLayoutEffect(() => {
    if (card.current) placeCard(card.current, cell);
  });
  if (!info) return null;
  const boxes = lit.value?.boxes ?? [];
  const formula = answer?.op?.latex_marked ?? knownFormula(cell.tensor);
  const hidden = maskWords(now, cell);
  const roles = boxes.map(({ tensor }) => findTensor(now, tensor)?.role ?? "activation");
  return (
    <div class="hover-card" ref={card} aria-hidden="true">
      <div class="mono">
        {shortName(info)} <span class="soft">{placeWords(info, cell.index)}</span>
      </div>
      {hidden && <div class="why">{hidden}</div>}
      {formula && !hidden && <Formula latex={formula} roles={roles} />}
      {boxes.length > 0 && (
        <div class="operands mono">
          {boxes.map((box) => (
            <OperandChip key={`${box.tensor} ${box.part}`} box={box} />
          ))}
        </div>
      )}
      <div class={`result mono ${info.role}`}>
        <Strip box={{ tensor: cell.tensor, start: cell.index, stop: cell.index.map((at) => at + 1) }} />
        {value === null ? "not computed yet" : `${approximate ? "≈" : "="} ${formatNumber(value)}`}
      </div>
    </div>
  );
}

function OperandChip({ box }: { box: CellBox }) {
  const info = graph.value && findTensor(graph.value, box.tensor);
  if (!info) return null;
  const count = boxSize(box);
  return (
    <span class={info.role}>
      <Strip box={box} most={12} />
      {labelOf(info)}
      {count > 1 && <span class="soft"> {count}</span>}
    </span>
  );
}

/** Above and to the right of the pointer, or where there is room. */
function placeCard(card: HTMLElement, { x, y }: PointedCell): void {
  const { width, height } = card.getBoundingClientRect();
  const left = x + GAP + width < window.innerWidth - 4 ? x + GAP : x - GAP - width;
  const top = y - GAP - height > 4 ? y - GAP - height : y + GAP;
  card.style.left = `${Math.max(4, left)}px`;
  card.style.top = `${Math.max(4, Math.min(top, window.innerHeight - height - 4))}px`;
}

/** What the pointer rests on, for screen readers: said when it has rested. */
function Spoken({ cell }: { cell: PointedCell | null }) {
  const said = useSignal("");
  useEffect(() => {
    const timer = window.setTimeout(() => {
      const info = cell && graph.value && findTensor(graph.value, cell.tensor);
      said.value =
        info && cell.value !== null
          ? `${cell.tensor}, ${placeWords(info, cell.index)}: ${formatNumber(cell.value)}`
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
