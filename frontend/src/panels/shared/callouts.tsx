/** Lines over the map: an arc from every cell that is read to the card at the pointer (or to the chosen cell), and
 *  brackets that name axes and their sizes. Drawn as SVG straight from each frame of the map. */

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../format";
import { boxSize, type CellBox } from "../../graph/cells";
import { findTensor, getTensor, isTokenAxis, shapeAt } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import type { Plate } from "../../layout/types";
import { type Box, type Corner, makeCallouts, Placement, type SeenRectangle } from "../../scene";
import type { RoomPort, ValuesPort } from "../../scene/ports";
import type { CellPattern } from "../../scene/types";
import { type Lit, lit, played } from "../../state/explain";
import { spokenOf } from "../../state/pass";
import { reading } from "../../state/source";
import { graph, hovered } from "../../state/store";
import { textScale } from "../../state/text-scale";
import { useActions } from "./actions";
import { shortLabel } from "./cell-words";
import "./callouts.css";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels that an edge must have to be bracketed, and how far a bracket keeps from it. */
const WORTH_BRACKET = 34;
const AWAY = 8;
const MOST_ARCS = 12;
/** Lines from shares to what they weigh, and the pixels of one that is all there is. */
const MOST_SHARES = 64;
const BROADEST = 11;
/** From the cell that is made, where its number may stand: right and down. */
const PILL_PLACES: readonly Corner[] = [
  [60, -44],
  [60, 44],
  [60, -90],
  [-60, -60],
  [-60, 60],
  [60, 110],
];
/** Pixels kept clear at the picture's edge, and the width of a letter of a bracket. */
const EDGE = 4;
const LETTER = 6.7;

/** Counts the times that the card at the pointer came to stand elsewhere: lines that end at it follow. */
export const cardMoved = signal(0);

export function Callouts() {
  const { map } = useActions();
  const host = useRef<SVGSVGElement>(null);
  useEffect(() => {
    if (!map) return;
    const callouts = makeCallouts((seen, width, height) => {
      if (host.current) draw(map, host.current, seen, [width, height]);
    });
    const remove = map.addOverlay(callouts.make);
    const stop = effect(() => {
      const now = lit.value;
      void cardMoved.value;
      const pairs = now && spokenOf.value ? weighed(graph.value, now.boxes) : [];
      callouts.watch(
        now ? [cellPattern(now), tensorPattern(now), ...now.boxes.map(boxPattern), ...pairs.flat()] : [],
        // What the pass says changes in this very frame, and the words beside the map with it. A card at the pointer
        // is not placed yet.
        hovered.peek() === null,
      );
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
  map: RoomPort & ValuesPort,
  host: SVGSVGElement,
  seen: readonly (readonly SeenRectangle[])[],
  size: Corner,
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
  // While a cell is played it is that one which is spoken of, and its number is only made.
  const told = spokenOf.peek() !== null && hovered.peek() === null && played.peek() === null;
  const card = cardCorner(host);
  const end = card?.corner ?? (target && middle(target));
  // Words keep off the map's own and off the card.
  const placement = new Placement();
  for (const box of [...map.written(), ...(card ? [card.box] : [])]) placement.take(box);
  const room: Room = { size, placement };
  for (const [i, rectangles] of sources.entries()) {
    const box = now.boxes[i];
    const first = rectangles[0];
    if (!box || !first) continue;
    const role = findTensor(of, box.tensor)?.role ?? "activation";
    // While a cell is played its sheet has lines of its own.
    if (played.peek()) continue;
    if (end && i < MOST_ARCS) drawn.push(...arc(within(middle(first), size), end, role));
    drawn.push(...brackets(of, first, box, role, room));
  }
  if (told && target) {
    const pairs = weighed(of, now.boxes);
    drawn.push(...shares(map, pairs, sources.slice(now.boxes.length)));
    drawn.push(...pill(map, of, now, target, room));
  }
  if (card && target) drawn.push(...arc(card.corner, middle(target), "ink"));
  const whole = target && plates.find(({ plate }) => plate.id === target.plate.id);
  if (whole && card) drawn.push(...plateBrackets(of, whole, room));
  host.replaceChildren(...drawn);
}

/** The picture's size, and where words stand already. */
interface Room {
  readonly size: Corner;
  readonly placement: Placement;
}

/** The card at the pointer, in the canvas's own pixels, and where arcs meet it: at the point nearest to the pointer. */
function cardCorner(host: SVGSVGElement): { readonly corner: Corner; readonly box: Box } | null {
  const cell = hovered.peek();
  const card = cell && document.querySelector(".hover-card");
  if (!card) return null;
  const own = host.getBoundingClientRect();
  const { left, right, top, bottom } = card.getBoundingClientRect();
  const corner: Corner = [
    Math.max(left, Math.min(right, cell.x)) - own.left,
    Math.max(top, Math.min(bottom, cell.y)) - own.top,
  ];
  return {
    corner,
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

// ---- what a step of the pass makes -------------------------------------------------------------------------

/** A share, and what it weighs. */
type Pair = readonly [share: CellPattern, value: CellPattern];

/** Where shares weigh as many cells: each with the one that it weighs. */
function weighed(of: Graph | null, boxes: readonly CellBox[]): readonly Pair[] {
  const roleOf = ({ tensor }: CellBox) => (of && findTensor(of, tensor)?.role) ?? null;
  const share = boxes.find((box) => roleOf(box) === "probability");
  const value = boxes.find((box) => roleOf(box) === "activation");
  if (!share || !value || boxSize(share) < 2 || boxSize(share) !== boxSize(value)) return [];
  const [from, to] = [singles(share), singles(value)];
  return from.slice(0, MOST_SHARES).map((cell, at): Pair => [cell, to[at]!]);
}

/** The cells of a box that is longer than one cell along one axis. */
function singles({ tensor, start, stop }: CellBox): readonly { tensor: string; index: readonly number[] }[] {
  const axis = start.findIndex((from, at) => stop[at]! - from > 1);
  const count = axis < 0 ? 1 : stop[axis]! - start[axis]!;
  return Array.from({ length: count }, (_, step) => ({
    tensor,
    index: start.map((from, at) => (at === axis ? from + step : from)),
  }));
}

/** From each share a line to the value that it weighs, the broader the larger the share. */
function shares(
  map: ValuesPort,
  pairs: readonly Pair[],
  seen: readonly (readonly SeenRectangle[])[],
): SVGElement[] {
  return pairs.flatMap(([{ tensor, index }], at) => {
    const [from, to] = [seen[2 * at]?.[0], seen[2 * at + 1]?.[0]];
    const share = map.valueAt(tensor, index as readonly number[]);
    if (!from || !to || share === undefined || !(share > 0)) return [];
    const [start, end] = [middle(from), middle(to)];
    const bend = (start[1] + end[1]) / 2;
    const path = `M${start[0]} ${start[1]}C${start[0]} ${bend} ${end[0]} ${bend} ${end[0]} ${end[1]}`;
    const width = 0.8 + BROADEST * share;
    return [element("path", { class: "arc-share probability", d: path, "stroke-width": width.toFixed(2) })];
  });
}

/** The number of the cell that is made, and of how many others it is made, over it. */
function pill(
  map: ValuesPort,
  of: Graph,
  { cell, boxes }: Lit,
  target: SeenRectangle,
  room: Room,
): SVGElement[] {
  const value = map.valueAt(cell.tensor, cell.index);
  const info = findTensor(of, cell.tensor);
  if (value === undefined || !info) return [];
  const several = boxes.filter((box) => boxSize(box) > 1);
  const count = several[0] ? boxSize(several[0]) : 0;
  const products = several.length === 2 && several.every((box) => boxSize(box) === count);
  const bias = boxes.some(({ part }) => part === "bias") ? " + bias" : "";
  const words = `${shortLabel(info)} = ${products ? `${count} products, added${bias} = ` : ""}${formatNumber(value, 3)}`;
  const scale = textScale.peek();
  const [width, height] = [words.length * LETTER * scale + 14, 20 * scale];
  const [x, y] = middle(target);
  for (const [dx, dy] of PILL_PLACES) {
    const [left, top] = [x + (dx < 0 ? dx - width : dx), y + dy - height / 2];
    if (!room.placement.place({ left, top, right: left + width, bottom: top + height }, ...room.size))
      continue;
    const box = element("rect", { class: "pill-box", x: left, y: top, width, height, rx: 4 });
    const text = element("text", {
      class: "pill-words",
      x: left + width / 2,
      y: top + height / 2,
      "text-anchor": "middle",
      "dominant-baseline": "central",
    });
    text.textContent = words;
    const stem: Corner = [dx < 0 ? left + width : left, top + height / 2];
    return [element("path", { class: "stem", d: `M${stem[0]} ${stem[1]}L${x} ${y}` }), box, text];
  }
  return [];
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
