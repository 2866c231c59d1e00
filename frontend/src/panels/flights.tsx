/** Plays the arithmetic on the map: runs the clock, and shows the moment that it stands at. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber } from "../format";
import { findTensor } from "../graph/shape";
import { type FlyingCell, perform, type Script } from "../layout/arithmetic";
import { bringToFront, headOf } from "../layout/front";
import { DIMS } from "../layout/pass_picture";
import { type FlyingRectangle, makeFlyingCells } from "../scene";
import { themes } from "../scene/themes";
import type { MapView, PlatePose } from "../scene/types";
import { knownExplanation } from "../session/explanations";
import { type Cell, graph } from "../state";
import { type Played, pace, played, sameCell } from "../state/explain";
import { passing } from "../state/pass";
import { ownScaleOf } from "../state/scales";
import { theme } from "../theme";
import { useActions } from "./actions";
import { makeClock } from "./clock";
import { cellColour } from "./colour";
import { rehearsal } from "./rehearsal";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels that a cell must have for its number to be written beside it. */
const WORTH_WRITING = 12;
/** Pixels of what is written; on a narrow slip, a share of the cell. */
const FONT = 12;
const FONT_OF_CELL = 0.57;

export function Flights() {
  const { map } = useActions();
  const host = useRef<SVGSVGElement>(null);
  useEffect(() => (map && host.current ? stage(map, host.current) : undefined), [map]);
  return <svg class="callouts" ref={host} aria-hidden="true" />;
}

/** Puts up the overlay and the clock; call the result to take them away. */
function stage(map: MapView, host: SVGSVGElement): () => void {
  let cells: readonly FlyingCell[] = [];
  let written: { played: Played; script: Script } | null = null;
  const texts: SVGTextElement[] = [];
  const flying = makeFlyingCells((places) => write(host, texts, cells, places.slice(1)));
  const remove = map.addOverlay(flying.make);
  const stopShowing = effect(() => {
    const now = played.value;
    if (!now) {
      if (written && !passing.peek()) map.pose(new Map());
      written = null;
    } else if (!written || !sameCell(written.played.cell, now.cell)) written = begin(map, host, now);
    cells = written && now ? perform(written.script, now.time) : [];
    flying.show(written && now ? [slipOf(written.script, now.time), ...cells.map(rectangle)] : []);
  });
  const stopClock = keepTime(() => written?.script.seconds ?? 8);
  return () => {
    stopShowing();
    stopClock();
    remove();
  };
}

/** The head of a cell comes to the front, the others step back. A pass that is stepped through has a head in front
 *  already. */
function stepForward(map: MapView, { tensor, index }: Cell): void {
  const shown = graph.peek();
  const head = shown && headOf(shown, tensor, index);
  if (!shown || !head || passing.peek()) return;
  const { moved, others } = bringToFront(shown, map.layout, head);
  const poses = new Map<number, PlatePose>([...others].map((id) => [id, { dim: DIMS.otherHead }]));
  for (const [id, { by, label }] of moved) poses.set(id, { offset: by, label });
  map.pose(poses);
}

function begin(map: MapView, host: SVGSVGElement, now: Played): { played: Played; script: Script } | null {
  const answer = knownExplanation(now.cell, "backward");
  if (!answer?.op) return null;
  stepForward(map, now.cell);
  const { script, camera } = rehearsal(map, answer, host.clientWidth, host.clientHeight);
  map.setCamera(camera, true);
  return { played: now, script };
}

/** Moves the time on, frame by frame, as long as it runs. */
function keepTime(seconds: () => number): () => void {
  const clock = makeClock((passed) => {
    const now = played.peek();
    if (!now?.running) return false;
    const time = Math.min(1, now.time + (passed * pace.peek()) / seconds());
    played.value = { ...now, time, running: time < 1 };
    return time < 1;
  });
  const stop = effect(() => {
    if (played.value?.running) clock.wake();
  });
  return () => {
    stop();
    clock.stop();
  };
}

function slipOf({ slip, extent }: Script, time: number): FlyingRectangle {
  return {
    position: [slip.corner[0] + extent[0] / 2, slip.corner[1] + extent[1] / 2, slip.corner[2] - 0.01],
    width: extent[0],
    height: extent[1],
    colour: themes[theme.peek()].paper,
    strength: 0.95 * Math.min(1, time * 20),
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
