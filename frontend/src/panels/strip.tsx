/** A few cells of a box in a row, in the map's own colours: what an operand looks like, at a glance. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { boxSize, type CellBox } from "../graph/cells";
import { findTensor } from "../graph/shape";
import { graph } from "../state";
import { hueOf } from "../state/difference";
import { scaleOf } from "../state/scales";
import { theme } from "../theme";
import { useActions } from "./actions";
import { useBoxValues } from "./box-values";
import { cellColour } from "./colour";

const SIDE = 9;

/** More cells than `most` are drawn by every so many. What the map does not hold is left out, or, where the strip
 *  `stays` for a while, fetched. */
export function Strip({
  box,
  most = 16,
  stays = false,
}: {
  box: Pick<CellBox, "tensor" | "start" | "stop">;
  most?: number;
  stays?: boolean;
}) {
  const { map } = useActions();
  const canvas = useRef<HTMLCanvasElement>(null);
  const count = boxSize(box);
  const step = Math.ceil(count / most);
  const drawn = Math.ceil(count / step);
  const held = Array.from({ length: drawn }, (_, i) => map?.valueAt(box.tensor, cellOf(box, i * step)));
  const fetched = useBoxValues(box, stays && held.includes(undefined));
  const shade = theme.value;
  useLayoutEffect(() => {
    const pen = canvas.current?.getContext("2d");
    const info = graph.value && findTensor(graph.value, box.tensor);
    if (!pen || !info) return;
    const ratio = window.devicePixelRatio || 1;
    pen.canvas.width = drawn * SIDE * ratio;
    pen.canvas.height = SIDE * ratio;
    pen.canvas.style.width = `${drawn * SIDE}px`;
    pen.canvas.style.height = `${SIDE}px`;
    pen.scale(ratio, ratio);
    const scale = scaleOf(info);
    const values = held.map((value, i) => value ?? fetched?.[i * step]);
    pen.canvas.hidden = values.every((value) => value === undefined);
    for (const [i, value] of values.entries()) {
      if (value === undefined) continue;
      pen.fillStyle = cellColour(shade, hueOf(info.role), value, scale);
      pen.fillRect(i * SIDE, 0, SIDE - 1, SIDE);
    }
  });
  return (
    <span
      class="strip"
      aria-hidden="true"
      title={step > 1 ? `${count} cells, one of every ${step} drawn` : undefined}
    >
      <canvas ref={canvas} />
    </span>
  );
}

/** The n-th cell of a box, its last axis running fastest. */
export function cellOf({ start, stop }: Pick<CellBox, "start" | "stop">, n: number): readonly number[] {
  const index: number[] = [];
  let rest = n;
  for (let axis = start.length - 1; axis >= 0; axis--) {
    const length = stop[axis]! - start[axis]!;
    index[axis] = start[axis]! + (rest % length);
    rest = Math.floor(rest / length);
  }
  return index;
}
