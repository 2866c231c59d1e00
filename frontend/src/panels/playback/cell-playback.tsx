/** Shows on the map the moment that the arithmetic of a cell stands at. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../format";
import { findTensor } from "../../graph/shape";
import { shownAs } from "../../layout/display-name";
import { bringToFront, headOf } from "../../layout/front";
import { DIMS } from "../../layout/pass-picture";
import { type FlyingCell, perform } from "../../playback/cell/flight";
import type { Script } from "../../playback/cell/script";
import { type FlyingRectangle, makeFlyingCells } from "../../scene";
import type { CameraPort, OverlayPort, PlacesPort, PosePort, ValuesPort } from "../../scene/ports";
import { themes } from "../../scene/themes";
import type { CellPattern, PlatePose } from "../../scene/types";
import { knownExplanation } from "../../session/explanations";
import { played, sameCell } from "../../state/explain";
import { passing } from "../../state/pass";
import { ownScaleOf } from "../../state/scales";
import { type Cell, graph } from "../../state/store";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { boxPattern } from "../shared/callouts";
import { cellColour } from "../shared/colour";
import { rehearsal } from "./build-cell-script";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels that a cell must have for its number to be written beside it. */
const WORTH_WRITING = 12;
/** Pixels of what is written; on a narrow slip, a share of the cell. */
const FONT = 12;
const FONT_OF_CELL = 0.57;
/** Pixels of the ring about the cell that is spoken of. */
const RING = 7;

/** Lines between the slip and the cells that it speaks of: of the number that is made, and of what it is made of. */
const LEADERS = ["ink", "weight", "activation", "probability", "summary"] as const;
const MOST_LEADERS = 8;

/** What is being played. */
interface Written {
  readonly cell: Cell;
  readonly script: Script;
  readonly sources: readonly { readonly role: string; readonly cells: CellPattern }[];
}

export function Flights() {
  const { map } = useActions();
  const host = useRef<SVGSVGElement>(null);
  useEffect(() => (map && host.current ? stage(map, host.current) : undefined), [map]);
  return <svg class="callouts" ref={host} aria-hidden="true" />;
}

/** What the playing of a cell asks of the map. */
type Stage = CameraPort & OverlayPort & PlacesPort & PosePort & ValuesPort;

/** Puts up the overlay; call the result to take it away. */
function stage(map: Stage, host: SVGSVGElement): () => void {
  let cells: readonly FlyingCell[] = [];
  let written: Written | null = null;
  const texts: SVGTextElement[] = [];
  const lines = LEADERS.map((role) => {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", `leader ${role}`);
    host.append(line);
    return { role, line };
  });
  const flying = makeFlyingCells(([slip, ...places]) => {
    for (const { role, line } of lines)
      line.setAttribute("d", written && slip ? leaders(map, written, slip, role) : "");
    write(host, texts, cells, places);
  });
  const remove = map.addOverlay(flying.make);
  const stopShowing = effect(() => {
    const now = played.value;
    if (!now) {
      if (written && !passing.peek()) map.pose(new Map());
      written = null;
    } else if (!written || !sameCell(written.cell, now.cell)) written = begin(map, host, now.cell);
    cells = written && now ? perform(written.script, now.time) : [];
    flying.show(written && now ? [slipOf(written.script, now.time), ...cells.map(rectangle)] : []);
  });
  return () => {
    stopShowing();
    remove();
  };
}

/** What takes part stands out: all else steps back, and the head of a cell comes to the front. A pass that is stepped
 *  through has done so already. */
function stepForward(map: PlacesPort & PosePort, { tensor, index }: Cell, operands: readonly string[]): void {
  const shown = graph.peek();
  if (!shown || passing.peek()) return;
  const head = headOf(shown, tensor, index);
  const front = head && bringToFront(shown, map.layout, head);
  const busy = new Set([tensor, ...operands].map((name) => shownAs(map.layout, shown, name)?.tensor ?? name));
  const poses = new Map<number, PlatePose>();
  for (const { id, tensor: own, role } of map.layout.plates) {
    if (front?.others.has(id)) poses.set(id, { dim: DIMS.otherHead });
    else if (!busy.has(own)) poses.set(id, { dim: role === "weight" ? DIMS.weight : DIMS.made });
  }
  for (const [id, { by, label }] of front?.moved ?? [])
    poses.set(id, { ...poses.get(id), offset: by, label });
  map.pose(poses);
}

function begin(map: Stage, host: SVGSVGElement, cell: Cell): Written | null {
  const answer = knownExplanation(cell, "backward");
  if (!answer?.op) return null;
  const operands = answer.operands.map(({ tensor }) => tensor);
  stepForward(map, cell, operands);
  const { script, camera } = rehearsal(map, answer, host.clientWidth, host.clientHeight);
  map.setCamera(camera, true);
  const sources = answer.operands
    .filter(({ tensor }) => tensor !== cell.tensor)
    .slice(0, MOST_LEADERS)
    .map((operand) => ({ role: operand.role, cells: boxPattern(operand) }));
  return { cell, script, sources };
}

function slipOf({ slip, extent }: Script, time: number): FlyingRectangle {
  return {
    position: [slip.corner[0] + extent[0] / 2, slip.corner[1] + extent[1] / 2, slip.corner[2] - 0.01],
    width: extent[0],
    height: extent[1],
    colour: themes[theme.peek()].paper,
    strength: 0.98 * Math.min(1, time * 20),
  };
}

function rectangle({ position, size, value, scaleOf: tensor, strength }: FlyingCell): FlyingRectangle {
  const info = graph.peek() && findTensor(graph.peek()!, tensor);
  const scale = info ? ownScaleOf(info) : 1;
  const colour = cellColour(
    theme.peek(),
    info?.role ?? "activation",
    value ?? Number.NEGATIVE_INFINITY,
    scale,
  );
  return { position, width: size, height: size, colour, strength };
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

/** The path of all lines of one colour: in ink to the cell whose arithmetic stands on the slip, with a ring about it; in
 *  the hue of a role, from the middle of what is read. */
function leaders(
  map: PlacesPort,
  { cell, script: { extent }, sources }: Written,
  slip: Spot & { readonly scale: number },
  role: (typeof LEADERS)[number],
): string {
  const edge = ({ x, y }: Spot): Spot => ({
    x: between(x, slip.x, extent[0] * slip.scale),
    y: between(y, slip.y, extent[1] * slip.scale),
  });
  if (role !== "ink")
    return sources
      .filter((source) => source.role === role)
      .flatMap(({ cells }) => {
        const at = map.project(cells);
        return at ? [line(edge(at), at)] : [];
      })
      .join("");
  const at = map.project(cell);
  if (!at) return "";
  const from = edge(at);
  const way = Math.hypot(at.x - from.x, at.y - from.y);
  if (way <= RING) return "";
  const to = { x: at.x - ((at.x - from.x) / way) * RING, y: at.y - ((at.y - from.y) / way) * RING };
  const arc = (across: number): string => `a${RING} ${RING} 0 1 1 ${across} 0`;
  return `${line(from, to)}M${at.x - RING} ${at.y}${arc(2 * RING)}${arc(-2 * RING)}`;
}

const line = (from: Spot, to: Spot): string => `M${from.x} ${from.y}L${to.x} ${to.y}`;

/** The nearest to a value within a length about its middle. */
const between = (value: number, middle: number, length: number): number =>
  Math.max(middle - length / 2, Math.min(middle + length / 2, value));

/** Numbers and operators beside the cells, where there is room for them. Elements are used again and again. */
function write(
  host: SVGSVGElement,
  texts: SVGTextElement[],
  cells: readonly FlyingCell[],
  places: readonly ({ readonly x: number; readonly y: number; readonly scale: number } | null)[],
): void {
  let used = 0;
  const put = (words: string, x: number, y: number, anchor: string, strength: number, font: number): void => {
    const text = texts[used] ?? document.createElementNS(SVG, "text");
    if (!texts[used]) {
      texts.push(text);
      host.append(text);
    }
    used += 1;
    text.textContent = words;
    text.setAttribute("x", x.toFixed(1));
    text.setAttribute("y", y.toFixed(1));
    text.setAttribute("text-anchor", anchor);
    text.setAttribute("opacity", strength.toFixed(2));
    text.style.fontSize = `${font.toFixed(1)}px`;
    text.setAttribute("dominant-baseline", "central");
  };
  for (const [i, { value, label, size, strength: opacity, settled }] of cells.entries()) {
    const place = places[i];
    const strength = opacity * settled;
    if (!place || place.scale * size < WORTH_WRITING || strength < 0.2) continue;
    const side = (place.scale * size) / 2 + 5;
    const font = Math.min(FONT, place.scale * size * FONT_OF_CELL);
    put(value === null ? "−∞" : formatNumber(value, 3), place.x + side, place.y, "start", strength, font);
    if (label) put(label, place.x - side, place.y, "end", strength, font);
  }
  for (const text of texts.splice(used)) text.remove();
}
