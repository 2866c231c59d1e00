/** What the page needs to know of a lens's figure: its colours by meaning, how high it wants to be, and which of its
 *  points is which row of the table. Pure: nothing here draws. */

/** The page's colours that charts are drawn in. */
export type Colours = Readonly<Record<(typeof COLOUR_NAMES)[number], string>>;
const COLOUR_NAMES = ["ink", "soft", "rule", "paper", "panel", "pr", "ap", "an", "su"] as const;

/** The colours that hold where an element stands. */
export function coloursOf(host: HTMLElement): Colours {
  const style = getComputedStyle(host);
  return Object.fromEntries(
    COLOUR_NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Record<(typeof COLOUR_NAMES)[number], string>;
}

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
  readonly zmin?: number;
  readonly zmax?: number;
  readonly customdata?: unknown;
  readonly textfont?: Readonly<Record<string, unknown>>;
  readonly marker?: Readonly<Record<string, unknown>>;
  readonly meta?: {
    readonly scale?: "probability" | "activation" | "summary";
    readonly row?: number;
    readonly stride?: readonly number[];
    /** How many cells of a matrix are one unit, down and across. */
    readonly block?: readonly [number, number];
    /** The row of the table of every cell, where they stand in another order. */
    readonly which?: readonly (readonly (number | null)[])[];
    readonly unit?: string;
    readonly rows?: readonly string[] | null;
    readonly columns?: readonly string[] | null;
    /** Whether rows and columns are the same things. */
    readonly square?: boolean;
    /** What bars and points stand for, all of them. */
    readonly names?: readonly string[];
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
  const at = typeof point === "number" ? [point] : point;
  if (meta?.which) return meta.which[at[0] ?? 0]?.[at[1] ?? 0] ?? undefined;
  if (meta?.row === undefined || !meta.stride) return undefined;
  return meta.stride.reduce((row, step, axis) => row + step * (at[axis] ?? 0), meta.row);
}

/** The point that a row of the table is; of several the first. */
export function pointAt(data: readonly Trace[], row: number): FigurePoint | undefined {
  for (const [curve, trace] of data.entries()) {
    const { meta } = trace;
    const there = meta?.which?.findIndex((cells) => cells.includes(row)) ?? -1;
    if (there >= 0) return { curve, at: [there, meta!.which![there]!.indexOf(row)] };
    if (meta?.row === undefined || !meta.stride || meta.which) continue;
    let rest = row - meta.row;
    if (rest < 0) continue;
    const at = meta.stride.map((step) => {
      // A stride of nothing: all along this axis are one row.
      const along = step === 0 ? 0 : Math.floor(rest / step);
      rest -= along * step;
      return along;
    });
    const size = (trace.z ?? longer(trace.x, trace.y)).length;
    if (at[0]! * (meta.block?.[0] ?? 1) < size) return { curve, at };
  }
  return undefined;
}

const longer = (a: readonly unknown[] = [], b: readonly unknown[] = []) => (a.length > b.length ? a : b);

/** A frame around a point, for the layout's `shapes`. */
export function shapeAround(data: readonly Trace[], { curve, at }: FigurePoint, colour: string): object {
  const trace = data[curve]!;
  const line = { color: colour, width: 1.5 };
  const [first = 0] = at;
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

/** Room for an upright name along an axis, a character of it in pixels, and how many there may be. */
const NAME = 13;
const CHARACTER = 6.6;
const UPRIGHT = 15;
const LYING = 30;

/** How high a chart wants to be at a width, in pixels. */
export function heightOf(data: readonly Trace[], width: number): number {
  const [trace] = data;
  if (trace?.type === "bar" && trace.orientation === "h")
    return Math.min(900, 60 + 17 * (trace.meta?.names?.length ?? trace.y?.length ?? 0));
  if (trace?.mode?.includes("markers") && !trace.mode.includes("lines")) return Math.min(width, 520);
  return 220 + Math.round(CHARACTER * Math.min(UPRIGHT, longest(trace?.meta?.names ?? [])));
}

const longest = (names: readonly string[]) => Math.max(0, ...names.map(({ length }) => length));

/** Names along an axis of bars: as many as there is room for, cut where they would take the chart's. */
export function fittingTicks(data: readonly Trace[], width: number): Record<string, object> {
  const [trace] = data;
  const names = trace?.meta?.names;
  if (!names) return {};
  const lying = trace.orientation === "h";
  const every = lying ? 1 : Math.max(1, Math.ceil((names.length * NAME) / Math.max(NAME, width - 60)));
  const places = names.map((_, at) => at).filter((at) => at % every === 0);
  const most = lying ? Math.max(8, Math.min(LYING, Math.floor((width * 0.45) / CHARACTER))) : UPRIGHT;
  const ticks = {
    tickmode: "array",
    tickvals: places,
    ticktext: places.map((at) => shortened(names[at]!, most)),
  };
  return lying ? { yaxis: ticks } : { xaxis: { ...ticks, tickangle: -90 } };
}

/** Plotly's texts are HTML: an entity is one character. */
export function shortened(text: string, room: number): string {
  const characters = text.match(/&[#\w]+;|./gsu) ?? [];
  return characters.length <= room ? text : `${characters.slice(0, room - 1).join("")}…`;
}

/** The traces in the page's colours, by what their colours stand for. */
export function themedData(data: readonly Trace[], colours: Colours): readonly Trace[] {
  return data.map((trace) => {
    const scale = trace.meta?.scale ?? "activation";
    const full = { probability: colours.pr, activation: colours.ap, summary: colours.su }[scale];
    if (trace.type === "bar") {
      const values = (trace.orientation === "h" ? trace.x : trace.y) ?? [];
      const colour = (value: unknown) =>
        scale === "activation" && typeof value === "number" && value < 0 ? colours.an : full;
      return { ...trace, marker: { ...trace.marker, color: values.map(colour) } };
    }
    const several = Array.isArray(trace.marker?.color);
    const named = { textfont: { size: 10 } };
    return several || data.length > 1
      ? { ...trace, ...named }
      : { ...trace, ...named, line: { color: full }, marker: { ...trace.marker, color: full } };
  });
}
