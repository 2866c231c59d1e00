/** Paints a heat map into a canvas that stays in the window onto it, again whenever what it shows changes. */

import type { RefObject } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { theme } from "../../theme";
import { coloursOf, type Trace } from "../shared/figure-parts";
import type { Grid, Matrix } from "../shared/matrix-grid";
import type { Place } from "../shared/matrix-moves";
import { cellsOf, paint, stopsOf } from "../shared/matrix-paint";

interface Options {
  readonly trace: Trace;
  readonly matrix: Matrix;
  readonly grid: Grid;
  /** The unit that is chosen in the map, and the one that is pointed at. */
  readonly chosen: Place | null;
  readonly cursor: Place | null;
}

/** Gives the stops of the colours, null until the canvas is there, and what paints again after the window scrolled. */
export function usePaintedMatrix(
  scroller: RefObject<HTMLElement | null>,
  canvas: RefObject<HTMLCanvasElement | null>,
  { trace, matrix, grid, chosen, cursor }: Options,
) {
  const stops = canvas.current ? stopsOf(trace.meta?.scale, coloursOf(canvas.current)) : null;
  const cells = useMemo(() => (stops ? cellsOf(matrix, stops) : null), [matrix, theme.value, stops !== null]);
  const repaint = () => {
    const [place, target] = [scroller.current, canvas.current];
    if (!place || !target || !cells || !stops) return;
    const { clientWidth: width, clientHeight: height, scrollLeft: x, scrollTop: y } = place;
    const colours = coloursOf(target);
    paint(
      sized(target, width, height),
      { width, height, x, y },
      { matrix, grid, stops, cells, colours, chosen, cursor },
    );
  };
  useEffect(repaint);
  return { stops, repaint };
}

/** A canvas of so many CSS pixels, sharp on this screen. */
function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const sharp = Math.min(3, window.devicePixelRatio);
  const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  return context;
}
