/** Lines over the map: an arc from every cell that is read to the card at the pointer (or to the chosen cell), and
 *  brackets that name axes and their sizes. Drawn as SVG straight from each frame of the map. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CellBox } from "../graph/cells";
import { findTensor, getTensor } from "../graph/shape";
import type { Graph } from "../graph/types";
import type { Plate } from "../layout/types";
import { type Corner, makeCallouts, type SeenRectangle } from "../scene";
import type { CellPattern } from "../scene/types";
import { graph, hovered } from "../state";
import { type Lit, lit } from "../state/explain";
import { useActions } from "./actions";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels that an edge must have to be bracketed, and how far a bracket keeps from it. */
const WORTH_BRACKET = 34;
const AWAY = 8;
const MOST_ARCS = 12;

export function Callouts() {
  const { map } = useActions();
  const host = useRef<SVGSVGElement>(null);
  useEffect(() => {
    if (!map) return;
    const callouts = makeCallouts((seen, width, height) => {
      if (host.current) draw(host.current, seen, [width, height]);
    });
    const remove = map.addOverlay(callouts.make);
    const stop = effect(() => {
      const now = lit.value;
      callouts.watch(now ? [cellPattern(now), tensorPattern(now), ...now.boxes.map(boxPattern)] : []);
    });
    return () => {
      stop();
      remove();
    };
  }, [map]);
  return <svg class="callouts" ref={host} aria-hidden="true" />;
}

const cellPattern = ({ cell }: Lit): CellPattern => ({ tensor: cell.tensor, index: cell.index });
const tensorPattern = ({ cell }: Lit): CellPattern => ({
  tensor: cell.tensor,
  index: cell.index.map(() => null),
});

/** A box of cells in the map's words. */
export function boxPattern({ tensor, start, stop }: CellBox): CellPattern {
  return { tensor, index: start.map((from, axis) => [from, stop[axis]!] as const) };
}

/** `seen`: the cell, all plates of its tensor, and then every box. */
function draw(host: SVGSVGElement, seen: readonly (readonly SeenRectangle[])[], size: Corner): void {
  const now = lit.peek();
  const of = graph.peek();
  const [targets, plates, ...sources] = seen;
  if (!now || !of || !targets || !plates) {
    if (host.childNodes.length > 0) host.replaceChildren();
    return;
  }
  const drawn: SVGElement[] = [];
  const target = targets[0];
  const card = cardCorner(host);
  const end = card ?? (target && middle(target));
  for (const [i, rectangles] of sources.entries()) {
    const box = now.boxes[i];
    const first = rectangles[0];
    if (!box || !first) continue;
    const role = findTensor(of, box.tensor)?.role ?? "activation";
    if (end && i < MOST_ARCS) drawn.push(...arc(within(middle(first), size), end, role));
    drawn.push(...brackets(of, first, box, role));
  }
  if (card && target && sources.length > 0) drawn.push(...arc(card, middle(target), "ink"));
  const whole = target && plates.find(({ plate }) => plate.id === target.plate.id);
  if (whole && card) drawn.push(...plateBrackets(of, whole));
  host.replaceChildren(...drawn);
}

/** Where arcs meet the card at the pointer: the middle of its nearer side, in the canvas's own pixels. */
function cardCorner(host: SVGSVGElement): Corner | null {
  const cell = hovered.peek();
  const card = cell && document.querySelector(".hover-card");
  if (!card) return null;
  const own = host.getBoundingClientRect();
  const { left, right, top, bottom } = card.getBoundingClientRect();
  const y = cell.y < (top + bottom) / 2 ? top : bottom;
  return [(left + right) / 2 - own.left, y - own.top];
}

const middle = ({ corners }: SeenRectangle): Corner => [
  (corners[0][0] + corners[2][0]) / 2,
  (corners[0][1] + corners[2][1]) / 2,
];

/** What is out of the picture is pointed at from its edge. */
function within([x, y]: Corner, [width, height]: Corner): Corner {
  return [Math.max(3, Math.min(width - 3, x)), Math.max(3, Math.min(height - 3, y))];
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  return made;
}

/** A gently bent arrow. */
function arc(from: Corner, to: Corner, role: string): SVGElement[] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy);
  if (length < 12) return [];
  const bend = 0.16 * (dx >= 0 ? 1 : -1);
  const control: Corner = [(from[0] + to[0]) / 2 + dy * bend, (from[1] + to[1]) / 2 - dx * bend];
  const angle = Math.atan2(to[1] - control[1], to[0] - control[0]);
  const wing = (turn: number): string =>
    `${to[0] - 7 * Math.cos(angle + turn)} ${to[1] - 7 * Math.sin(angle + turn)}`;
  const path = `M${from[0]} ${from[1]}Q${control[0]} ${control[1]} ${to[0]} ${to[1]}`;
  return [
    element("path", { class: `arc ${role}`, d: path }),
    element("path", { class: `arc ${role}`, d: `M${wing(0.42)}L${to[0]} ${to[1]}L${wing(-0.42)}` }),
  ];
}

/** Names of the axes that run down and right on a plate; empty where it is one cell. */
function axesOf(of: Graph, plate: Plate): { down: string; right: string } {
  const { axes } = getTensor(of, plate.source);
  return {
    down: plate.rowAxis === null ? "" : axes[plate.rowAxis]!,
    right: plate.columnAxis === null ? "" : axes[plate.columnAxis]!,
  };
}

/** Of the cells read: the axes along which there are several. */
function brackets(of: Graph, seen: SeenRectangle, box: CellBox, role: string): SVGElement[] {
  const [a, b, , d] = seen.corners;
  const { down, right } = axesOf(of, seen.plate);
  const { axes } = getTensor(of, box.tensor);
  const extent = (axis: string): number => {
    const at = axes.indexOf(axis);
    return at < 0 ? 0 : box.stop[at]! - box.start[at]!;
  };
  return [
    ...(seen.rows > 1 ? bracket(a, d, `${down} ${extent(down)}`, role, 1) : []),
    ...(seen.columns > 1 ? bracket(a, b, `${right} ${extent(right)}`, role, -1) : []),
  ];
}

/** Of the plate pointed at: both axes, whole. */
function plateBrackets(of: Graph, { plate, corners: [, b, c, d] }: SeenRectangle): SVGElement[] {
  const { down, right } = axesOf(of, plate);
  return [
    ...(plate.rows > 1 ? bracket(b, c, `${down} ${plate.rows}`, "quiet", -1) : []),
    ...(plate.columns > 1 ? bracket(d, c, `${right} ${plate.columns}`, "quiet", 1) : []),
  ];
}

/** Beside an edge, on its left (1) or right (-1) as one goes from the first corner to the second. */
function bracket(from: Corner, to: Corner, words: string, role: string, side: 1 | -1): SVGElement[] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy);
  if (length < WORTH_BRACKET) return [];
  const [nx, ny] = [(-dy / length) * side, (dx / length) * side];
  const at = (corner: Corner, away: number): string => `${corner[0] + nx * away} ${corner[1] + ny * away}`;
  const text = element("text", {
    class: `bracket ${role}`,
    x: (from[0] + to[0]) / 2 + nx * (AWAY + 8),
    y: (from[1] + to[1]) / 2 + ny * (AWAY + 8),
    "text-anchor": Math.abs(nx) < 0.5 ? "middle" : nx < 0 ? "end" : "start",
    "dominant-baseline": "middle",
  });
  text.textContent = words;
  const path = `M${at(from, AWAY - 3)}L${at(from, AWAY + 3)}M${at(from, AWAY)}L${at(to, AWAY)}M${at(to, AWAY - 3)}L${at(to, AWAY + 3)}`;
  return [element("path", { class: `bracket ${role}`, d: path }), text];
}
