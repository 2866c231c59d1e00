/** One head as a small map, in the map's colours: its strongest cell has the full hue, so that maps are compared by
 *  their shape. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { theme } from "../../theme";
import { cellColour } from "../shared/colour";

const STEPS = 64;

export function SmallMap({ values }: { values: readonly (readonly number[])[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shade = theme.value;
  useLayoutEffect(() => {
    const target = canvas.current;
    const pen = target?.getContext("2d");
    if (!target || !pen) return;
    const [rows, columns] = [values.length, values[0]?.length ?? 0];
    target.width = columns;
    target.height = rows;
    const full = values.reduce((most, line) => Math.max(most, ...line), 0);
    const ramp = rampOf(shade);
    const picture = new ImageData(columns, rows);
    for (const [row, line] of values.entries())
      for (const [column, value] of line.entries())
        picture.data.set(
          ramp[full > 0 ? Math.round((STEPS * value) / full) : 0]!,
          4 * (row * columns + column),
        );
    pen.putImageData(picture, 0, 0);
  }, [values, shade]);
  return <canvas ref={canvas} class="small-map" />;
}

const ramps = new Map<string, readonly (readonly number[])[]>();

/** The colours of probabilities from 0 to 1, as bytes. */
function rampOf(shade: typeof theme.value): readonly (readonly number[])[] {
  const known = ramps.get(shade);
  if (known) return known;
  const made = Array.from({ length: STEPS + 1 }, (_, at) => {
    const colour = cellColour(shade, "probability", at / STEPS, 1);
    return [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16)).concat(255);
  });
  ramps.set(shade, made);
  return made;
}
