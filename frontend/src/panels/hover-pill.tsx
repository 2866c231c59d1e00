/** The small pill at the pointer: which cell this is, and its value. Kept inside the window. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../format";
import { hovered } from "../state";
import { useCellValue } from "./cell-value";

const GAP = 16;

export function HoverPill() {
  const cell = hovered.value;
  const pill = useRef<HTMLDivElement>(null);
  const { value, approximate } = useCellValue(cell, cell?.value ?? null);
  useLayoutEffect(() => {
    if (!pill.current || !cell) return;
    const { width, height } = pill.current.getBoundingClientRect();
    const left = Math.max(4, Math.min(cell.x + GAP, window.innerWidth - width - 4));
    const above = cell.y - GAP - height;
    pill.current.style.left = `${left}px`;
    pill.current.style.top = `${above > 4 ? above : cell.y + GAP}px`;
  });
  if (!cell) return null;
  const shown = value === null ? "not computed yet" : `${approximate ? "≈" : "="} ${formatNumber(value)}`;
  return (
    <div class="hover-pill mono" ref={pill} role="presentation">
      {cell.tensor}[{cell.index.join(", ")}] {shown}
    </div>
  );
}
