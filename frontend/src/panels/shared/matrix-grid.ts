/** A heat map's plan: how large its cells are, where its labels stand, which cell is where. Pure: nothing here draws. */

import type { Trace } from "./figure-parts";

/** A name beside the matrix, centred on a place counted in cells. */
export interface MatrixLabel {
  readonly at: number;
  readonly text: string;
}

/** What is drawn, out of a figure. Cells that stand for one thing together are a unit: a small map of the board. */
export interface Matrix {
  readonly values: readonly (readonly (number | null)[])[];
  readonly rows: number;
  readonly columns: number;
  readonly rowLabels: readonly MatrixLabel[];
  readonly columnLabels: readonly MatrixLabel[];
  readonly down: string;
  readonly across: string;
  readonly texts: readonly (readonly string[])[] | null;
  readonly unit: readonly [rows: number, columns: number];
  /** Cells are as high as they are wide. */
  readonly square: boolean;
  readonly low: number;
  readonly high: number;
}

export interface Grid {
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Room for the rows' names. */
  readonly left: number;
  /** Room for the columns' names. */
  readonly top: number;
  /** Whether the columns' names stand upright. */
  readonly turned: boolean;
  readonly width: number;
  readonly height: number;
}

/** A character of a label, and the least room for one, in CSS pixels. */
const CHARACTER = 6;
const LINE = 12;
const MOST_LEFT = 132;
const MOST_TOP = 100;
/** A cell that says a token and a number. */
const WRITTEN = { least: 56, most: 120, height: 30 } as const;
const PLAIN = { most: 40, height: 20 } as const;

interface AxisLayout {
  readonly title?: { readonly text?: string };
  readonly tickvals?: readonly number[];
  readonly ticktext?: readonly string[];
}

/** The matrix of a heat map as the server describes it. */
export function matrixOf(trace: Trace, layout: Readonly<Record<string, unknown>>): Matrix {
  const values = (trace.z ?? []) as Matrix["values"];
  const axis = (name: string) => (layout[name] ?? {}) as AxisLayout;
  const labels = (
    names: readonly string[] | null | undefined,
    { tickvals = [], ticktext = [] }: AxisLayout,
  ) =>
    names
      ? names.map((text, at) => ({ at, text: plain(text) }))
      : tickvals.map((at, n) => ({ at, text: plain(ticktext[n] ?? "") }));
  const [low, high] = boundsOf(trace, values);
  return {
    values,
    rows: values.length,
    columns: values[0]?.length ?? 0,
    rowLabels: labels(trace.meta?.rows, axis("yaxis")),
    columnLabels: labels(trace.meta?.columns, axis("xaxis")),
    down: axis("yaxis").title?.text ?? "",
    across: axis("xaxis").title?.text ?? "",
    texts: trace.texttemplate
      ? (trace.text as readonly (readonly string[])[]).map((row) => row.map(plain))
      : null,
    unit: trace.meta?.block ?? [1, 1],
    square: (trace.meta?.square ?? false) || trace.meta?.block !== undefined,
    low,
    high,
  };
}

/** The ends of the colours: those given, or the values' own; balanced around zero where a scale has two hues. */
function boundsOf(trace: Trace, values: Matrix["values"]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of values)
    for (const value of row) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  if (low > high) [low, high] = [0, 1];
  if (trace.zmin !== undefined && trace.zmax !== undefined) return [trace.zmin, trace.zmax];
  if (trace.meta?.scale === "activation") {
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    return [-most, most];
  }
  return [low, high === low ? low + 1 : high];
}

/** The plan for a width: written cells keep a size that can be read and scroll, others shrink to fit. */
export function gridOf(matrix: Matrix, room: number, zoom: number): Grid {
  const longest = (labels: readonly MatrixLabel[]) => Math.max(1, ...labels.map(({ text }) => text.length));
  const left = Math.min(MOST_LEFT, longest(matrix.rowLabels) * CHARACTER + 10);
  const fit = (room - left - 2) / Math.max(1, matrix.columns);
  const cellWidth =
    zoom * (matrix.texts ? Math.max(WRITTEN.least, Math.min(WRITTEN.most, fit)) : Math.min(PLAIN.most, fit));
  const cellHeight = matrix.texts ? zoom * WRITTEN.height : matrix.square ? cellWidth : zoom * PLAIN.height;
  const wide = longest(matrix.columnLabels) * CHARACTER + 4;
  const turned = wide > cellWidth * matrix.unit[1];
  const top = turned ? Math.min(MOST_TOP, wide + 6) : LINE + 6;
  return {
    cellWidth,
    cellHeight,
    left,
    top,
    turned,
    width: left + cellWidth * matrix.columns + 1,
    height: top + cellHeight * matrix.rows + 1,
  };
}

/** The labels that have room: of neighbours too close together only every so many. */
export function roomy(labels: readonly MatrixLabel[], cell: number): readonly MatrixLabel[] {
  const apart = labels.length > 1 ? (labels[1]!.at - labels[0]!.at) * cell : cell;
  const every = Math.max(1, Math.ceil(LINE / Math.max(apart, 0.01)));
  return labels.filter((_, number) => number % every === 0);
}

/** The unit at a point of the content; null beside the cells. */
export function unitAt(matrix: Matrix, grid: Grid, x: number, y: number): readonly [number, number] | null {
  const row = Math.floor((y - grid.top) / grid.cellHeight);
  const column = Math.floor((x - grid.left) / grid.cellWidth);
  if (row < 0 || column < 0 || row >= matrix.rows || column >= matrix.columns) return null;
  return [Math.floor(row / matrix.unit[0]), Math.floor(column / matrix.unit[1])];
}

/** How many units there are, down and across. */
export function unitsOf({ rows, columns, unit }: Matrix): readonly [number, number] {
  return [Math.ceil(rows / unit[0]), Math.ceil(columns / unit[1])];
}

/** Where a unit lies in the content, without the gap after a small map. */
export function boxOf(matrix: Matrix, grid: Grid, [row, column]: readonly [number, number]) {
  const [high, wide] = matrix.unit;
  const gap = high > 1 ? 1 : 0;
  return {
    x: grid.left + column * wide * grid.cellWidth,
    y: grid.top + row * high * grid.cellHeight,
    width: (wide - gap) * grid.cellWidth,
    height: (high - gap) * grid.cellHeight,
  };
}

/** What a unit is called: its row and its column. */
export function namesOf(matrix: Matrix, [row, column]: readonly [number, number]): readonly [string, string] {
  return [matrix.rowLabels[row]?.text ?? `${row}`, matrix.columnLabels[column]?.text ?? `${column}`];
}

const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** A figure's text, which is HTML with these three entities (app/lenses/drawing.py), as plain text. */
export function plain(text: string): string {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]!);
}
