/** plotly.js, loaded when the first chart is drawn, in the page's own colours. */

import type { Figure } from "../net/rest";

interface Plotly {
  react(host: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  purge(host: HTMLElement): void;
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

/** Draws a figure into its host; returns how to take it away. `failed` is told why it could not be drawn. */
export function drawFigure(host: HTMLElement, figure: Figure, failed: (message: string) => void): () => void {
  let gone = false;
  load()
    .then((plotly) =>
      gone ? undefined : plotly.react(host, figure.data, themed(figure.layout, host), CONFIG),
    )
    .catch((error: Error) => failed(`The chart could not be drawn: ${error.message}`));
  return () => {
    gone = true;
    void library?.then((plotly) => plotly.purge(host));
  };
}

const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false };

function themed(layout: Readonly<Record<string, unknown>>, host: HTMLElement): Record<string, unknown> {
  const style = getComputedStyle(host);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: colour("--rule"),
    linecolor: colour("--rule"),
    zerolinecolor: colour("--rule"),
    automargin: true,
  };
  const axes = Object.fromEntries(
    ["xaxis", "yaxis"].map((name) => [name, { ...(layout[name] as object | undefined), ...axis }]),
  );
  return {
    ...layout,
    ...axes,
    template: {},
    title: undefined,
    autosize: true,
    width: undefined,
    height: Math.max(240, host.clientHeight),
    margin: { l: 44, r: 8, t: 8, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: '"IBM Plex Mono", monospace', size: 11, color: colour("--ink") },
  };
}
