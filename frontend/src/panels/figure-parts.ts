/** What the page needs to know of a lens's figure: its colours by meaning, how high it wants to be, and which of its
 *  points is which row of the table. Pure: nothing here draws. */

import type { Colours } from "./plotly";

/** A trace as the server makes them (app/lenses/drawing.py): `meta` says what colours mean and where the rows are. */
export interface Trace {
  readonly type?: string;
  readonly mode?: string;
  readonly orientation?: string;
  readonly x?: readonly unknown[];
  readonly y?: readonly unknown[];
  readonly z?: readonly unknown[];
  readonly text?: unknown;
  readonly texttemplate?: string;
  readonly hovertemplate?: string;
  readonly customdata?: unknown;
  readonly textfont?: Readonly<Record<string, unknown>>;
  readonly marker?: Readonly<Record<string, unknown>>;
  readonly meta?: {
    readonly scale?: "probability" | "activation" | "summary";
    readonly row?: number;
    readonly stride?: readonly number[];
  };
}

/** A point of a figure: its trace, and its place along the trace's own axes. */
export interface FigurePoint {
  readonly curve: number;
  readonly at: readonly number[];
}

/** The row of the table that a point is; undefined where the figure does not say. */
export function rowOfPoint(
  data: readonly Trace[],
  curve: number,
  point: number | readonly number[],
): number | undefined {
  const meta = data[curve]?.meta;
  if (meta?.row === undefined || !meta.stride) return undefined;
  const at = typeof point === "number" ? [point] : point;
  return meta.stride.reduce((row, step, axis) => row + step * (at[axis] ?? 0), meta.row);
}

/** The point that a row of the table is. */
export function pointAt(data: readonly Trace[], row: number): FigurePoint | undefined {
  for (const [curve, trace] of data.entries()) {
    const { meta } = trace;
    if (meta?.row === undefined || !meta.stride) continue;
    let rest = row - meta.row;
    if (rest < 0) continue;
    const at = meta.stride.map((step) => {
      const along = Math.floor(rest / step);
      rest -= along * step;
      return along;
    });
    const size = (trace.z ?? longer(trace.x, trace.y)).length;
    if (at[0]! < size) return { curve, at };
  }
  return undefined;
}

const longer = (a: readonly unknown[] = [], b: readonly unknown[] = []) => (a.length > b.length ? a : b);

/** A frame around a point, for the layout's `shapes`. */
export function shapeAround(data: readonly Trace[], { curve, at }: FigurePoint, colour: string): object {
  const trace = data[curve]!;
  const line = { color: colour, width: 1.5 };
  const [first = 0, second = 0] = at;
  if (trace.type === "heatmap")
    return { type: "rect", x0: second - 0.5, x1: second + 0.5, y0: first - 0.5, y1: first + 0.5, line };
  if (trace.type === "bar") {
    const [low, high] = [first - 0.45, first + 0.45];
    return trace.orientation === "h"
      ? { type: "rect", xref: "paper", x0: 0, x1: 1, y0: low, y1: high, line: { ...line, width: 1 } }
      : { type: "rect", yref: "paper", y0: 0, y1: 1, x0: low, x1: high, line: { ...line, width: 1 } };
  }
  return {
    type: "circle",
    xsizemode: "pixel",
    ysizemode: "pixel",
    xanchor: trace.x?.[first],
    yanchor: trace.y?.[first],
    x0: -7,
    x1: 7,
    y0: -7,
    y1: 7,
    line,
  };
}

/** How high a figure wants to be at a width, in pixels. */
export function heightOf(data: readonly Trace[], width: number): number {
  const [trace] = data;
  if (trace?.type === "bar" && trace.orientation === "h")
    return Math.min(900, 60 + 17 * (trace.y?.length ?? 0));
  if (trace?.type === "heatmap" && trace.z) {
    const columns = (trace.z[0] as readonly unknown[] | undefined)?.length ?? 1;
    const square = trace.z.length === columns;
    return square ? Math.min(width, 640) : Math.min(640, Math.max(200, 110 + 18 * trace.z.length));
  }
  if (trace?.mode?.includes("markers") && !trace.mode.includes("lines")) return Math.min(width, 520);
  return 260;
}

/** What labels and the scale take of a heat map's width, and a character of its cells, in pixels. */
const BESIDE = 170;
const CHARACTER = 6.1;

/** Texts written into a heat map's cells, cut to the cells' width so that they stay readable; whole when pointed at. */
export function fittingTexts(trace: Trace, width: number): Partial<Trace> {
  if (!trace.texttemplate) return {};
  const texts = trace.text as readonly (readonly string[])[];
  const room = Math.floor((width - BESIDE) / Math.max(1, texts[0]?.length ?? 0) / CHARACTER);
  if (room < 2) return { texttemplate: "" };
  return {
    text: texts.map((row) => row.map((text) => shortened(text, room))),
    customdata: texts,
    hovertemplate: trace.hovertemplate?.replace("%{text}", "%{customdata}") ?? "",
    textfont: { size: 10 },
  };
}

/** Plotly's texts are HTML: an entity is one character. */
function shortened(text: string, room: number): string {
  const characters = text.match(/&[#\w]+;|./gsu) ?? [];
  return characters.length <= room ? text : `${characters.slice(0, room - 1).join("")}…`;
}

/** The traces in the page's colours, by what their colours stand for. */
export function themedData(data: readonly Trace[], colours: Colours, width: number): readonly Trace[] {
  return data.map((trace) => {
    const scale = trace.meta?.scale;
    const full = { probability: colours.pr, activation: colours.ap, summary: colours.su }[
      scale ?? "activation"
    ];
    if (trace.type === "heatmap") {
      const ramp =
        scale === "activation"
          ? [
              [0, colours.an],
              [0.5, colours.paper],
              [1, colours.ap],
            ]
          : [
              [0, colours.paper],
              [1, full],
            ];
      return { ...trace, ...fittingTexts(trace, width), colorscale: ramp };
    }
    if (trace.type === "bar") {
      const values = (trace.orientation === "h" ? trace.x : trace.y) ?? [];
      const colour = (value: unknown) =>
        scale === "activation" && typeof value === "number" && value < 0 ? colours.an : full;
      return { ...trace, marker: { ...trace.marker, color: values.map(colour) } };
    }
    const several = Array.isArray(trace.marker?.color);
    return several || data.length > 1
      ? trace
      : { ...trace, line: { color: full }, marker: { ...trace.marker, color: full }, textfont: { size: 10 } };
  });
}
