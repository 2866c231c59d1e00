/** Points in three dimensions as they are seen from somewhere: pure geometry, for the page and for paper. */

import { signal } from "@preact/signals";
import type { Figure } from "../../net/rest";
import { between, css, rgbOf } from "../shared/colour-scale";
import { plain } from "../shared/matrix-grid";

export type Point3 = readonly [x: number, y: number, z: number];

export interface Eye {
  readonly azimuth: number;
  readonly elevation: number;
}

/** The place from which the points are seen; a picture for paper is taken from there too. */
export const eye = signal<Eye>({ azimuth: 0.6, elevation: 0.4 });

export const SIZE = 400;
const MARGIN = 34;
/** Above this many points only the one pointed at is named. */
export const MOST_NAMES = 80;
/** Matplotlib's viridis at its ends and middle: an order that everybody sees. */
const ORDER = ["#440154", "#21918c", "#fde725"].map(rgbOf);

export interface SeenPoint {
  readonly row: number;
  readonly x: number;
  readonly y: number;
  /** Toward the eye, -1 to 1. */
  readonly depth: number;
  readonly name: string;
  /** Null where the points have no order. */
  readonly colour: string | null;
}

export interface Scatter {
  readonly origin: { readonly x: number; readonly y: number };
  readonly axes: readonly { readonly x: number; readonly y: number; readonly title: string }[];
  /** The farthest first. */
  readonly points: readonly SeenPoint[];
}

/** Projects a point: right, down, and toward the eye, each from -1 to 1 for points within the unit ball. */
export function turned([x, y, z]: Point3, { azimuth, elevation }: Eye): Point3 {
  const right = x * Math.cos(azimuth) + z * Math.sin(azimuth);
  const toward = z * Math.cos(azimuth) - x * Math.sin(azimuth);
  return [
    right,
    -(y * Math.cos(elevation) - toward * Math.sin(elevation)),
    y * Math.sin(elevation) + toward * Math.cos(elevation),
  ];
}

/** The figure's points and axes as they are seen. */
export function scatterOf(figure: Figure, from: Eye): Scatter {
  const place = (p: Point3) => {
    const [x, y, depth] = turned(p, from);
    const half = SIZE / 2;
    return { x: half + x * (half - MARGIN), y: half + y * (half - MARGIN), depth };
  };
  const trace = figure.data[0] as { text?: readonly string[]; marker?: { color?: unknown } };
  const ordered = Array.isArray(trace.marker?.color);
  const points = pointsOf(figure);
  const titles = titlesOf(figure);
  return {
    origin: place([0, 0, 0]),
    axes: (
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ] as const
    ).map((end, at) => ({ ...place(end), title: titles[at]! })),
    points: points
      .map((p, row) => ({
        row,
        ...place(p),
        name: plain(trace.text?.[row] ?? ""),
        colour: ordered ? css(between(ORDER, row / Math.max(1, points.length - 1))) : null,
      }))
      .sort((a, b) => a.depth - b.depth),
  };
}

/** Sizes of a name in the picture, in its own units: one character of the fixed-width type, a line, and where it stands
 *  beside its point. */
const NAME = { character: 5.4, line: 10, right: 5, up: 3 };

/** The rows whose names are written: the nearest first, as long as they lie on no other name. */
export function namedRows(points: readonly SeenPoint[]): ReadonlySet<number> {
  if (points.length > MOST_NAMES) return new Set();
  const taken: { left: number; right: number; top: number; bottom: number }[] = [];
  const rows = new Set<number>();
  for (const { row, x, y, name } of [...points].reverse()) {
    const [left, bottom] = [x + NAME.right, y - NAME.up];
    const box = { left, right: left + NAME.character * name.length, top: bottom - NAME.line, bottom };
    const free = taken.every(
      (other) =>
        box.right <= other.left ||
        other.right <= box.left ||
        box.bottom <= other.top ||
        other.bottom <= box.top,
    );
    if (!free) continue;
    taken.push(box);
    rows.add(row);
  }
  return rows;
}

/** The points, shrunk into the unit ball. */
function pointsOf(figure: Figure): readonly Point3[] {
  const { x, y, z } = figure.data[0] as unknown as Record<"x" | "y" | "z", readonly number[]>;
  const largest = Math.max(1e-12, ...x.map((_, at) => Math.hypot(x[at]!, y[at]!, z[at]!)));
  return x.map((_, at) => [x[at]! / largest, y[at]! / largest, z[at]! / largest] as const);
}

function titlesOf(figure: Figure): readonly string[] {
  const scene = figure.layout.scene as Record<string, { title?: { text?: string } }> | undefined;
  return ["xaxis", "yaxis", "zaxis"].map((axis) => scene?.[axis]?.title?.text ?? "");
}

const INK = "#1f2328";
const SOFT = "#62666d";

/** The same as an SVG file for paper: dark on white, named as on the page. */
export function scatterFile(figure: Figure, from: Eye): string {
  const { origin, axes, points } = scatterOf(figure, from);
  const title = plain((figure.layout.title as { text?: string } | undefined)?.text ?? "");
  const named = namedRows(points);
  const text = (x: number, y: number, words: string, colour = INK) =>
    `<text x="${x.toFixed(2)}" y="${y.toFixed(2)}" fill="${colour}">${xml(words)}</text>`;
  const parts = [
    ...axes.flatMap(({ x, y }, at) => [
      `<line x1="${origin.x}" y1="${origin.y}" x2="${x.toFixed(2)}" y2="${y.toFixed(2)}" stroke="#c9c4ba"/>`,
      text(x, y, `${at + 1}`, SOFT),
    ]),
    ...points.map(
      ({ row, x, y, depth, name, colour }) =>
        `<g opacity="${(0.55 + 0.4 * depth).toFixed(2)}"><circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="3" fill="${colour ?? "#00857a"}"/>` +
        `${named.has(row) ? text(x + 5, y - 3, name) : ""}</g>`,
    ),
    text(6, 16, title),
    ...axes.map((axis, at) =>
      text(6, SIZE - 6 - 13 * (axes.length - 1 - at), `${at + 1}: ${axis.title}`, SOFT),
    ),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${2 * SIZE}" height="${2 * SIZE}" viewBox="0 0 ${SIZE} ${SIZE}" ` +
    `font-family="'IBM Plex Mono', 'DejaVu Sans Mono', monospace" font-size="9"><rect width="100%" height="100%" fill="#ffffff"/>` +
    `${parts.join("")}</svg>`
  );
}

const xml = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
