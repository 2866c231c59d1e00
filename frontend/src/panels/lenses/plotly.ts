/** plotly.js, loaded when the first chart is drawn: in the page's own colours, linked to rows of a table, and as a
 *  file in print quality. */

import type { Figure } from "../../net/rest";
import {
  type Colours,
  coloursOf,
  fittingTicks,
  heightOf,
  pointAt,
  rowOfPoint,
  shapeAround,
  shortened,
  type Trace,
  themedData,
} from "../shared/figure-parts";
import { withDensity } from "./png";
import { eye, SIZE, scatterFile } from "./scatter-view";
import "./plotly.css";

interface Point {
  readonly curveNumber: number;
  readonly pointNumber: number | readonly number[];
}

interface Host extends HTMLElement {
  on?(
    event: "plotly_click" | "plotly_hover" | "plotly_unhover",
    listener: (event: { readonly points: readonly Point[] }) => void,
  ): void;
}

interface Plotly {
  react(host: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  relayout(host: HTMLElement, change: unknown): Promise<unknown>;
  purge(host: HTMLElement): void;
  toImage(figure: unknown, options: unknown): Promise<string>;
}

let library: Promise<Plotly> | null = null;

/** plotly.js would write its style sheet into the page, which the page's policy forbids; an element of this id and
 *  class tells it that the rules are there already (panels/lenses/plotly.css). */
function abideByPolicy(): void {
  const mark = document.createElement("meta");
  mark.id = "plotly.js-style-global";
  mark.className = "no-inline-styles";
  document.head.append(mark);
  // It also sets whole style attributes of its drawings, which the policy forbids too; the same by CSSOM is allowed.
  SVGElement.prototype.setAttribute = function (name: string, value: string) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}

function load(): Promise<Plotly> {
  if (!library) abideByPolicy();
  library ??= import("plotly.js-cartesian-dist-min").then((module) => module.default as unknown as Plotly);
  return library;
}

/** Fetches and compiles the library while nobody waits for it. */
export function prepare(): void {
  window.requestIdleCallback?.(() => void load(), { timeout: 10_000 });
}

export interface Drawing {
  /** Why it could not be drawn. */
  failed(message: string): void;
  /** A point was clicked: the row of the lens's table that it is. */
  clicked?(row: number): void;
  /** A point is pointed at: its row; null when none is any more. */
  pointed?(row: number | null): void;
}

export interface Drawn {
  /** Frames the point that is this row of the table; null frames none. */
  mark(row: number | null): void;
  /** The host has another size. */
  resized(): void;
  remove(): void;
}

/** Draws a figure into its host. */
export function drawFigure(host: HTMLElement, figure: Figure, drawing: Drawing): Drawn {
  let gone = false;
  let marked: number | null = null;
  const data = figure.data as readonly Trace[];
  const colours = coloursOf(host);
  const draw = async () => {
    const plotly = await load();
    if (gone) return;
    await plotly.react(host, themedData(data, colours), themed(figure, host, colours), CONFIG);
    const rowOf = ([point]: readonly Point[]) =>
      point && rowOfPoint(data, point.curveNumber, point.pointNumber);
    const chart = host as Host;
    chart.on?.("plotly_click", ({ points }) => {
      const row = rowOf(points);
      if (row !== undefined) drawing.clicked?.(row);
    });
    chart.on?.("plotly_hover", ({ points }) => drawing.pointed?.(rowOf(points) ?? null));
    chart.on?.("plotly_unhover", () => drawing.pointed?.(null));
    if (marked !== null) mark(marked);
  };
  const drawn = draw().catch((error: Error) =>
    drawing.failed(`The chart could not be drawn: ${error.message}`),
  );
  const later = (change: (plotly: Plotly) => Promise<unknown> | undefined) =>
    void drawn.then(async () => {
      const plotly = await load();
      if (gone || host.clientWidth === 0 || !host.querySelector(".main-svg")) return;
      try {
        await change(plotly);
      } catch (error) {
        // Taken away while it changed: there is nothing left to change.
        if (!gone) throw error;
      }
    });
  const mark = (row: number | null) => {
    marked = row;
    const point = row === null ? undefined : pointAt(data, row);
    later((plotly) =>
      plotly.relayout(host, { shapes: point ? [shapeAround(data, point, colours.ink)] : [] }),
    );
  };
  return {
    mark,
    resized: () =>
      later((plotly) => plotly.relayout(host, { width: host.clientWidth, height: host.clientHeight })),
    remove: () => {
      gone = true;
      void library?.then((plotly) => plotly.purge(host));
    },
  };
}

const CONFIG = { displaylogo: false, displayModeBar: false };
/** 96 pixels an inch on the page, three times as many on paper. */
const PRINT_SCALE = 3;
const DOTS_AN_INCH = 96 * PRINT_SCALE;

/** A figure's traces for paper: what is written in cells is cut to their size there. */
const onPaper = (trace: Trace): Trace =>
  trace.texttemplate
    ? {
        ...trace,
        text: (trace.text as readonly (readonly string[])[]).map((row) =>
          row.map((text) => shortened(text, 10)),
        ),
      }
    : trace;

/** Names along a heat map's columns on paper, upright where they would touch. */
function paperTicks(data: readonly Trace[], width: number): Record<string, object> {
  const [trace] = data;
  const names = trace?.meta?.columns;
  if (trace?.type !== "heatmap" || !names) return fittingTicks(data, width);
  const room = (width - 220) / names.length;
  const every = Math.max(1, Math.ceil(14 / room));
  const places = names.map((_, at) => at).filter((at) => at % every === 0);
  const upright = Math.max(0, ...names.map(({ length }) => length)) * 7.4 > room;
  const ticktext = places.map((at) => shortened(names[at]!, 16));
  return { xaxis: { tickmode: "array", tickvals: places, ticktext, tickangle: upright ? -90 : 0 } };
}

/** Gives the width of a figure on paper: as wide as its written cells need. */
function paperSize(data: readonly Trace[]): { width: number; height: number } {
  const [trace] = data;
  const [rows, columns] = [
    trace?.z?.length ?? 0,
    (trace?.z?.[0] as readonly unknown[] | undefined)?.length ?? 0,
  ];
  if (trace?.type === "heatmap" && trace.texttemplate)
    return { width: Math.max(900, 220 + 74 * columns), height: Math.max(420, 190 + 40 * rows) };
  if (trace?.type === "heatmap")
    return {
      width: 900,
      height: trace.meta?.square || trace.meta?.block ? 860 : Math.max(420, 190 + 24 * rows),
    };
  return { width: 900, height: Math.max(420, heightOf(data, 900)) };
}

/** A long title in lines, so that it stays on the paper. */
function inLines(title: string, width: number): string {
  const most = Math.floor((width - 60) / 10);
  const lines: string[] = [""];
  for (const word of title.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length > most) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("<br>");
}

/** A figure as a file for paper: dark on white whatever the page's theme, `svg` to any size, `png` at 288 dpi. */
export async function figureFile(figure: Figure, format: "svg" | "png"): Promise<Blob> {
  const data = figure.data as readonly Trace[];
  if (data[0]?.type === "scatter3d") {
    const drawing = scatterFile(figure, eye.value);
    if (format === "svg") return new Blob([drawing], { type: "image/svg+xml" });
    return asPng(drawing, 2 * SIZE);
  }
  const plotly = await load();
  const size = paperSize(data);
  const title = (figure.layout.title as { text?: string } | undefined)?.text ?? "";
  const layout = {
    ...figure.layout,
    ...eachAxis(
      figure.layout,
      { automargin: true, gridcolor: "#e4e0d8", linecolor: "#888", zerolinecolor: "#888" },
      paperTicks(data, size.width),
    ),
    title: { text: inLines(title, size.width), font: { size: 15 }, x: 0.02, xanchor: "left" },
    template: {},
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    font: { family: '"IBM Plex Mono", "DejaVu Sans Mono", monospace', size: 12, color: "#1f2328" },
    margin: { l: 60, r: 20, t: 70, b: 60 },
  };
  const options = { format, ...size, scale: format === "png" ? PRINT_SCALE : 1 };
  const address = await plotly.toImage({ data: data.map(onPaper), layout }, options);
  const [head, body] = [address.slice(0, address.indexOf(",")), address.slice(address.indexOf(",") + 1)];
  if (!head.includes("base64")) return new Blob([decodeURIComponent(body)], { type: "image/svg+xml" });
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  return new Blob([withDensity(bytes, DOTS_AN_INCH)], { type: "image/png" });
}

/** A drawing as pixels, at the same resolution as other charts. */
async function asPng(drawing: string, size: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * PRINT_SCALE;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((found) => canvas.toBlob(found, "image/png"));
  if (!blob) throw new Error("the browser made no picture");
  return new Blob([withDensity(new Uint8Array(await blob.arrayBuffer()), DOTS_AN_INCH)], {
    type: "image/png",
  });
}

/** An axis whose title keeps clear of the names along it. */
function titled(axis: unknown): object {
  const { title, ...rest } = (axis ?? {}) as { title?: object };
  return { ...rest, title: { ...title, standoff: 12 } };
}

function eachAxis(
  layout: Figure["layout"],
  change: object,
  own: Record<string, object> = {},
): Record<string, object> {
  return Object.fromEntries(
    ["xaxis", "yaxis"].map((name) => [name, { ...titled(layout[name]), ...change, ...own[name] }]),
  );
}

function themed(figure: Figure, host: HTMLElement, colours: Colours): Record<string, unknown> {
  const { layout } = figure;
  const axis = {
    gridcolor: colours.rule,
    linecolor: colours.rule,
    zerolinecolor: colours.rule,
    automargin: true,
  };
  const ticks = fittingTicks(figure.data as readonly Trace[], host.clientWidth);
  return {
    ...layout,
    ...eachAxis(layout, axis, ticks),
    template: {},
    title: undefined,
    autosize: false,
    width: host.clientWidth,
    height: host.clientHeight,
    margin: { l: 40, r: 6, t: 8, b: 36 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: '"IBM Plex Mono", monospace', size: 11, color: colours.ink },
    hoverlabel: { font: { family: '"IBM Plex Mono", monospace', size: 11 } },
  };
}
