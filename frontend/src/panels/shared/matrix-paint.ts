/** Paints the part of a heat map that its window shows: cells, what is written in them, and labels that stay in view. */

import { formatNumber } from "../../format";
import { between, css, type Rgb, readableOn, rgbOf } from "./colour-scale";
import type { Colours } from "./figure-parts";
import { boxOf, type Grid, type Matrix, roomy } from "./matrix-grid";

export interface Paint {
  readonly matrix: Matrix;
  readonly grid: Grid;
  readonly stops: readonly Rgb[];
  readonly colours: Colours;
  /** One pixel a cell. */
  readonly cells: CanvasImageSource;
  /** The unit chosen in the map, and the one pointed at. */
  readonly chosen: readonly [number, number] | null;
  readonly cursor: readonly [number, number] | null;
}

/** What the window shows: its size and how far it is scrolled, in CSS pixels. */
export interface Window_ {
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
}

const FONT = '"IBM Plex Mono", "DejaVu Sans Mono", monospace';
const LEAST_WRITTEN = { width: 30, height: 14 } as const;

/** A picture of a pixel a cell; cells without a number are left out. */
export function cellsOf(matrix: Matrix, stops: readonly Rgb[]): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, matrix.columns);
  canvas.height = Math.max(1, matrix.rows);
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(canvas.width, canvas.height);
  matrix.values.forEach((row, down) => {
    row.forEach((value, across) => {
      if (value === null) return;
      const [r, g, b] = between(stops, shareOf(matrix, value));
      image.data.set([r, g, b, 255], 4 * (down * canvas.width + across));
    });
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

const shareOf = ({ low, high }: Matrix, value: number) => (value - low) / (high - low);

export function paint(context: CanvasRenderingContext2D, window: Window_, what: Paint): void {
  const { matrix, grid, colours } = what;
  context.clearRect(0, 0, window.width, window.height);
  context.save();
  context.beginPath();
  context.rect(grid.left, grid.top, window.width - grid.left, window.height - grid.top);
  context.clip();
  context.translate(-window.x, -window.y);
  context.imageSmoothingEnabled = grid.cellWidth < 1;
  context.drawImage(
    what.cells,
    grid.left,
    grid.top,
    matrix.columns * grid.cellWidth,
    matrix.rows * grid.cellHeight,
  );
  const written = grid.cellWidth >= LEAST_WRITTEN.width && grid.cellHeight >= LEAST_WRITTEN.height;
  if (written && (matrix.texts || matrix.unit[0] === 1)) write(context, window, what);
  if (what.chosen) frame(context, boxOf(matrix, grid, what.chosen), colours.ink, 2);
  if (what.cursor) frame(context, boxOf(matrix, grid, what.cursor), colours.ink, 1);
  context.restore();
  label(context, window, what);
}

/** Every visible cell's token, and under it its number where there is room; its number alone where it has none. */
function write(context: CanvasRenderingContext2D, window: Window_, { matrix, grid, stops, colours }: Paint) {
  const { cellWidth, cellHeight, left, top } = grid;
  const rows = visible(window.y, window.height - top, cellHeight, matrix.rows);
  const columns = visible(window.x, window.width - left, cellWidth, matrix.columns);
  const both = matrix.texts !== null && cellHeight >= 26;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let row = rows[0]; row < rows[1]; row++)
    for (let column = columns[0]; column < columns[1]; column++) {
      const value = matrix.values[row]?.[column] ?? null;
      if (value === null) continue;
      const ground = between(stops, shareOf(matrix, value));
      const x = left + (column + 0.5) * cellWidth;
      const y = top + (row + 0.5) * cellHeight;
      context.fillStyle = readableOn(ground, [colours.ink, colours.paper]);
      context.font = `10.5px ${FONT}`;
      const room = Math.floor((cellWidth - 4) / 6.3);
      const number = short(value, matrix.low === 0 && matrix.high === 1);
      const own = matrix.texts?.[row]?.[column];
      context.fillText(own === undefined ? fitting(number, room) : cut(own, room), x, both ? y - 6 : y);
      if (!both) continue;
      context.font = `9.5px ${FONT}`;
      context.fillText(number, x, y + 7);
    }
}

function label(context: CanvasRenderingContext2D, window: Window_, { matrix, grid, colours }: Paint) {
  const { cellWidth, cellHeight, left, top } = grid;
  context.font = `10px ${FONT}`;
  context.fillStyle = colours.soft;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const most = Math.floor((left - 8) / 6);
  for (const { at, text } of roomy(matrix.rowLabels, cellHeight)) {
    const y = top + (at + 0.5) * cellHeight - window.y;
    if (y > top - cellHeight / 2 && y < window.height + cellHeight)
      inside(context, 0, top, left, window.height - top, () =>
        context.fillText(cut(text, most), left - 6, y),
      );
  }
  const tall = Math.floor((top - 6) / 6);
  const wide = Math.floor((cellWidth * matrix.unit[1] - 2) / 6);
  for (const { at, text } of roomy(matrix.columnLabels, cellWidth)) {
    const x = left + (at + 0.5) * cellWidth - window.x;
    if (x < left - cellWidth || x > window.width + cellWidth) continue;
    inside(context, left, 0, window.width - left, top, () => {
      context.translate(x, top - 5);
      if (grid.turned) context.rotate(-Math.PI / 2);
      context.textAlign = grid.turned ? "left" : "center";
      context.textBaseline = grid.turned ? "middle" : "alphabetic";
      context.fillText(cut(text, grid.turned ? tall : Math.max(1, wide)), 0, 0);
    });
  }
}

/** Draws within a rectangle, and leaves the context as it was. */
function inside(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  draw: () => void,
) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  draw();
  context.restore();
}

function frame(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: ReturnType<typeof boxOf>,
  colour: string,
  thick: number,
) {
  context.strokeStyle = colour;
  context.lineWidth = thick;
  context.strokeRect(x + thick / 2, y + thick / 2, Math.max(1, width - thick), Math.max(1, height - thick));
}

/** The first and the last but one of the cells that a stretch shows. */
function visible(from: number, length: number, size: number, count: number): readonly [number, number] {
  return [
    Math.max(0, Math.floor(from / size)),
    Math.min(count, Math.ceil((from + Math.max(0, length)) / size)),
  ];
}

/** A text of at most so many characters. */
export function cut(text: string, room: number): string {
  const characters = [...text];
  return characters.length <= room ? text : `${characters.slice(0, Math.max(0, room - 1)).join("")}…`;
}

/** A number in a cell: two places, so that numbers line up and fit. */
function short(value: number, share: boolean): string {
  if (share) return value > 0 && value < 0.005 ? "<.01" : value.toFixed(2);
  if (Number.isInteger(value)) return `${value}`;
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  return size < 10 ? value.toFixed(2).replace("-", "−") : formatNumber(value, 3);
}

/** A number in so many characters: with fewer places, then without its leading zero; nothing rather than a piece. */
export function fitting(number: string, room: number): string {
  const bare = number.replace(/^([−-]?)0\./, "$1.");
  const tenths = bare.replace(/(\.\d)\d+$/, "$1");
  return [number, bare, tenths].find((text) => text.length <= room) ?? "";
}

/** Where a scale's colours run, by what they stand for. */
export function stopsOf(scale: string | undefined, colours: Colours): readonly Rgb[] {
  if (scale === "activation") return [rgbOf(colours.an), rgbOf(colours.paper), rgbOf(colours.ap)];
  return [rgbOf(colours.paper), rgbOf(scale === "probability" ? colours.pr : colours.su)];
}

export const gradient = (stops: readonly Rgb[]) => `linear-gradient(90deg, ${stops.map(css).join(", ")})`;
