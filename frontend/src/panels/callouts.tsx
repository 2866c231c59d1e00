/** Lines over the map: an arc from every cell that is read to the card at the pointer (or to the chosen cell), and
 *  brackets that name axes and their sizes. Drawn as SVG straight from each frame of the map. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CellBox } from "../graph/cells";
import { findTensor, getTensor, isTokenAxis, shapeAt } from "../graph/shape";
import type { Graph } from "../graph/types";
import type { Plate } from "../layout/types";
import { type Box, type Corner, makeCallouts, Placement, type SeenRectangle } from "../scene";
import type { CellPattern } from "../scene/types";
import { graph, hovered } from "../state";
import { type Lit, lit, reading } from "../state/explain";
import { textScale } from "../state/text_scale";
import { useActions } from "./actions";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels that an edge must have to be bracketed, and how far a bracket keeps from it. */
const WORTH_BRACKET = 34;
const AWAY = 8;
const MOST_ARCS = 12;
/** Pixels kept clear at the picture's edge, and the width of a letter of a bracket. */
const EDGE = 4;
const LETTER = 6.7;

export function Callouts() {
  const { map } = useActions();
  const host = useRef<SVGSVGElement>(null);
  useEffect(() => {
    if (!map) return;
    const callouts = makeCallouts((seen, width, height) => {
      if (host.current) draw(host.current, seen, [width, height], map.written());
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
function draw(
  host: SVGSVGElement,
  seen: readonly (readonly SeenRectangle[])[],
  size: Corner,
  written: readonly Box[],
): void {
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
  const end = card?.corner ?? (target && middle(target));
  // Words keep off the map's own and off the card.
  const placement = new Placement();
  for (const box of [...written, ...(card ? [card.box] : [])]) placement.take(box);
  const room: Room = { size, placement };
  for (const [i, rectangles] of sources.entries()) {
    const box = now.boxes[i];
    const first = rectangles[0];
    if (!box || !first) continue;
    const role = findTensor(of, box.tensor)?.role ?? "activation";
    if (end && i < MOST_ARCS) drawn.push(...arc(within(middle(first), size), end, role));
    drawn.push(...brackets(of, first, box, role, room));
  }
  if (card && target && sources.length > 0) drawn.push(...arc(card.corner, middle(target), "ink"));
  const whole = target && plates.find(({ plate }) => plate.id === target.plate.id);
  if (whole && card) drawn.push(...plateBrackets(of, whole, room));
  host.replaceChildren(...drawn);
}

/** The picture's size, and where words stand already. */
interface Room {
  readonly size: Corner;
  readonly placement: Placement;
}

/** The card at the pointer, in the canvas's own pixels, and where arcs meet it: the middle of its nearer side. */
function cardCorner(host: SVGSVGElement): { readonly corner: Corner; readonly box: Box } | null {
  const cell = hovered.peek();
  const card = cell && document.querySelector(".hover-card");
  if (!card) return null;
  const own = host.getBoundingClientRect();
  const { left, right, top, bottom } = card.getBoundingClientRect();
  const y = cell.y < (top + bottom) / 2 ? top : bottom;
  return {
    corner: [(left + right) / 2 - own.left, y - own.top],
    box: { left: left - own.left, right: right - own.left, top: top - own.top, bottom: bottom - own.top },
  };
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
function brackets(of: Graph, seen: SeenRectangle, box: CellBox, role: string, room: Room): SVGElement[] {
  const [a, b, , d] = seen.corners;
  const { down, right } = axesOf(of, seen.plate);
  const { axes } = getTensor(of, box.tensor);
  const extent = (axis: string): number => {
    const at = axes.indexOf(axis);
    return at < 0 ? 0 : box.stop[at]! - box.start[at]!;
  };
  return [
    ...(seen.rows > 1 ? bracket(a, d, `${down} ${extent(down)}`, role, 1, room) : []),
    ...(seen.columns > 1 ? bracket(a, b, `${right} ${extent(right)}`, role, -1, room) : []),
  ];
}

/** Of the plate pointed at: both axes, whole. Tokens stand below a plate, so their axis is named above. */
function plateBrackets(of: Graph, { plate, corners }: SeenRectangle, room: Room): SVGElement[] {
  const [a, b, c, d] = corners;
  const { down, right } = axesOf(of, plate);
  const words = (axis: string, most: number): string => {
    const tokens = lengthOf(of, plate, axis);
    return tokens === null || tokens >= most ? `${axis} ${most}` : `${axis} ${tokens} of ${most}`;
  };
  const [left, end, side] = isTokenAxis(right) ? ([a, b, -1] as const) : ([d, c, 1] as const);
  return [
    ...(plate.rows > 1 ? bracket(b, c, words(down, plate.rows), "quiet", -1, room) : []),
    ...(plate.columns > 1 ? bracket(left, end, words(right, plate.columns), "quiet", side, room) : []),
  ];
}

/** How many tokens there are along an axis of a plate; null for axes of the model. */
function lengthOf(of: Graph, plate: Plate, axis: string): number | null {
  const info = getTensor(of, plate.source);
  if (info.role === "weight" || !isTokenAxis(axis)) return null;
  return shapeAt(info, reading.peek().positions)[info.axes.indexOf(axis)] ?? null;
}

/** Beside the part of an edge that is in the picture, on its left (1) or right (-1) as one goes from the first corner
 *  to the second; on the other side where there is no room. An end that is out of the picture stays open. */
function bracket(
  from: Corner,
  to: Corner,
  words: string,
  role: string,
  preferred: 1 | -1,
  { size, placement }: Room,
): SVGElement[] {
  const part = clip(from, to, size);
  if (!part) return [];
  const [start, stop] = part;
  const [dx, dy] = [stop[0] - start[0], stop[1] - start[1]];
  const length = Math.hypot(dx, dy);
  if (length < WORTH_BRACKET) return [];
  const middle: Corner = [start[0] + dx / 2, start[1] + dy / 2];
  const beside = (side: number, away: number): Corner => [
    middle[0] - (dy / length) * side * away,
    middle[1] + (dx / length) * side * away,
  ];
  const [width, height] = [words.length * LETTER * textScale.peek() + 4, 15 * textScale.peek()];
  const boxOn = (side: number): Box => {
    const [x, y] = beside(side, AWAY + 8);
    const nx = (-dy / length) * side;
    const left = Math.abs(nx) < 0.5 ? x - width / 2 : nx < 0 ? x - width : x;
    return { left, right: left + width, top: y - height / 2, bottom: y + height / 2 };
  };
  const side = [preferred, -preferred].find((one) => placement.place(boxOn(one), ...size));
  // Without room for its words a bracket says nothing.
  if (side === undefined) return [];
  const [nx, ny] = [(-dy / length) * side, (dx / length) * side];
  const at = (corner: Corner, away: number): string => `${corner[0] + nx * away} ${corner[1] + ny * away}`;
  const { left, top } = boxOn(side);
  const paper = element("rect", { class: "paper", x: left, y: top, width, height, rx: 2 });
  const text = element("text", {
    class: `bracket ${role}`,
    x: left + width / 2,
    y: top + height / 2,
    "text-anchor": "middle",
    "dominant-baseline": "central",
  });
  text.textContent = words;
  const tick = (corner: Corner): string => `M${at(corner, AWAY - 3)}L${at(corner, AWAY + 3)}`;
  const ticks = [start === from ? tick(start) : "", stop === to ? tick(stop) : ""].join("");
  const path = `M${at(start, AWAY)}L${at(stop, AWAY)}${ticks}`;
  return [element("path", { class: `bracket ${role}`, d: path }), paper, text];
}

/** The part of a line that is in the picture (Liang and Barsky 1984); null where none is. Ends inside stay the very
 *  same. */
function clip(from: Corner, to: Corner, size: Corner): readonly [Corner, Corner] | null {
  let [first, last] = [0, 1];
  for (const axis of [0, 1] as const) {
    const way = to[axis] - from[axis];
    const [near, far] = [EDGE - from[axis], size[axis] - EDGE - from[axis]];
    if (way === 0 && (near > 0 || far < 0)) return null;
    if (way === 0) continue;
    first = Math.max(first, Math.min(near / way, far / way));
    last = Math.min(last, Math.max(near / way, far / way));
  }
  if (first >= last) return null;
  const at = (share: number): Corner => [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
  ];
  return [first > 0 ? at(first) : from, last < 1 ? at(last) : to];
}
