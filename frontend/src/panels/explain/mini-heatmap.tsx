/** A few cells of a box in a row, in the map's own colours: what an operand looks like, at a glance. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { boxSize, type CellBox } from "../../graph/cells";
import { findTensor } from "../../graph/shape";
import { hueOf } from "../../state/difference";
import { scaleOf } from "../../state/scales";
import { graph } from "../../state/store";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { cellColour } from "../shared/colour";
import { useBoxValues } from "./box-values";

const SIDE = 9;

type Box = Pick<CellBox, "tensor" | "start" | "stop">;

interface Props {
  readonly box: Box;
  /** More cells are drawn by every so many. */
  readonly most?: number;
}

/** Of what the map does not hold nothing is drawn. */
export function Strip(props: Props) {
  return <Drawn {...props} fetched={null} held={useHeld(props)} />;
}

/** A strip that stays for a while: what the map does not hold is fetched. */
export function StayingStrip(props: Props) {
  const held = useHeld(props);
  return <Drawn {...props} held={held} fetched={useBoxValues(props.box, held.includes(undefined))} />;
}

const MOST = 16;

/** Of how many cells one is drawn. */
const stepOf = ({ box, most = MOST }: Props): number => Math.ceil(boxSize(box) / most);

/** The numbers of the cells drawn that the map holds. */
function useHeld(props: Props): readonly (number | undefined)[] {
  const { map } = useActions();
  const { box } = props;
  const step = stepOf(props);
  return Array.from({ length: Math.ceil(boxSize(box) / step) }, (_, i) =>
    map?.valueAt(box.tensor, cellOf(box, i * step)),
  );
}

interface DrawnProps extends Props {
  readonly held: readonly (number | undefined)[];
  /** All numbers of the box. */
  readonly fetched: Float32Array | null;
}

function Drawn({ box, most = MOST, held, fetched }: DrawnProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const count = boxSize(box);
  const step = stepOf({ box, most });
  const shade = theme.value;
  useLayoutEffect(() => {
    const pen = canvas.current?.getContext("2d");
    const info = graph.value && findTensor(graph.value, box.tensor);
    if (!pen || !info) return;
    const ratio = window.devicePixelRatio || 1;
    pen.canvas.width = held.length * SIDE * ratio;
    pen.canvas.height = SIDE * ratio;
    pen.canvas.style.width = `${held.length * SIDE}px`;
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
