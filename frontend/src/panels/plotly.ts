/** plotly.js, loaded when the first chart is drawn: in the page's own colours, linked to rows of a table, and as a
 *  file in print quality. */

import type { Figure } from "../net/rest";
import { heightOf, pointAt, rowOfPoint, shapeAround, type Trace, themedData } from "./figure-parts";

interface Point {
  readonly curveNumber: number;
  readonly pointNumber: number | readonly number[];
}

interface Host extends HTMLElement {
  on?(event: "plotly_click", listener: (event: { readonly points: readonly Point[] }) => void): void;
}

interface Plotly {
  react(host: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  relayout(host: HTMLElement, change: unknown): Promise<unknown>;
  purge(host: HTMLElement): void;
  toImage(figure: unknown, options: unknown): Promise<string>;
}

let library: Promise<Plotly> | null = null;

/** plotly.js would write its style sheet into the page, which the page's policy forbids; an element of this id and
 *  class tells it that the rules are there already (styles/plotly.css). */
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

export interface Drawing {
  /** Why it could not be drawn. */
  failed(message: string): void;
  /** A point was clicked: the row of the lens's table that it is. */
  clicked?(row: number): void;
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
    await plotly.react(
      host,
      themedData(data, colours, host.clientWidth),
      themed(figure, host, colours),
      CONFIG,
    );
    (host as Host).on?.("plotly_click", ({ points: [point] }) => {
      const row = point && rowOfPoint(data, point.curveNumber, point.pointNumber);
      if (row !== undefined) drawing.clicked?.(row);
    });
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

/** A figure as a file for paper: dark on white whatever the page's theme, `svg` to any size, `png` at 288 dpi. */
export async function figureFile(figure: Figure, format: "svg" | "png"): Promise<Blob> {
  const plotly = await load();
  const layout = {
    ...figure.layout,
    ...eachAxis(figure.layout, { automargin: true, gridcolor: "#e4e0d8", linecolor: "#888" }),
    template: {},
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    font: { family: '"IBM Plex Mono", "DejaVu Sans Mono", monospace', size: 12, color: "#1f2328" },
    margin: { l: 60, r: 20, t: 50, b: 60 },
  };
  const size = { width: 900, height: Math.max(420, heightOf(figure.data as readonly Trace[], 900)) };
  const options = { format, ...size, scale: format === "png" ? PRINT_SCALE : 1 };
  const address = await plotly.toImage({ data: figure.data, layout }, options);
  const [head, body] = [address.slice(0, address.indexOf(",")), address.slice(address.indexOf(",") + 1)];
  if (!head.includes("base64")) return new Blob([decodeURIComponent(body)], { type: "image/svg+xml" });
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

export type Colours = Readonly<Record<"ink" | "soft" | "rule" | "paper" | "pr" | "ap" | "an" | "su", string>>;

function coloursOf(host: HTMLElement): Colours {
  const style = getComputedStyle(host);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const names = ["ink", "soft", "rule", "paper", "pr", "ap", "an", "su"] as const;
  return Object.fromEntries(names.map((name) => [name, colour(name)])) as Record<
    (typeof names)[number],
    string
  >;
}

function eachAxis(layout: Figure["layout"], change: object): Record<string, object> {
  return Object.fromEntries(
    ["xaxis", "yaxis"].map((name) => [name, { ...(layout[name] as object | undefined), ...change }]),
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
  return {
    ...layout,
    ...eachAxis(layout, axis),
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
