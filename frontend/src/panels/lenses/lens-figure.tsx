/** A lens's chart: fetched, drawn, as high as the reader pulls it, and linked with the rows of its table. */

import { useEffect, useRef } from "preact/hooks";
import type { LensTable } from "../../net/lenses";
import type { Figure } from "../../net/rest";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { heightOf, type Trace } from "../shared/figure-parts";
import { chosenRow, point, visit } from "./lens-link";
import { LensMatrix } from "./lens-matrix";
import { type Drawn, drawFigure } from "./plotly";
import { Scatter3D } from "./scatter-3d";

interface Props {
  readonly figure: Figure;
  /** Its rows, where they are here: what a click on a point leads to. */
  readonly table: LensTable | null;
  readonly title: string;
  readonly failed: (message: string) => void;
}

export function LensFigure(props: Props) {
  const [trace] = props.figure.data;
  if (trace?.type === "heatmap") return <LensMatrix {...props} />;
  return trace?.type === "scatter3d" ? <Scatter3D {...props} /> : <PlotlyFigure {...props} />;
}

function PlotlyFigure({ figure, table, title, failed }: Props) {
  const { map } = useActions();
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const rows = useRef(table);
  rows.current = table;
  const colours = theme.value;
  useEffect(() => {
    const place = host.current;
    if (!place) return;
    place.style.height = `${heightOf(figure.data as readonly Trace[], place.clientWidth)}px`;
    const now = drawFigure(place, figure, {
      failed,
      clicked: (row) => visit(map, rows.current?.places[row]),
      pointed: (row) => point(row === null ? null : rows.current?.places[row]),
    });
    drawn.current = now;
    const sizes = new ResizeObserver(() => now.resized());
    sizes.observe(place);
    return () => {
      sizes.disconnect();
      now.remove();
    };
  }, [figure, colours]);
  const chosen = chosenRow(table?.places);
  useEffect(() => drawn.current?.mark(chosen), [chosen, figure, colours]);
  return (
    <div class="plot" ref={host} role="img" aria-label={`${title}, a chart; the table has its numbers`} />
  );
}
