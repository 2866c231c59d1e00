/** Says where one is: at the chosen cell while it is in the window, else at what the window's middle shows, from the whole
 *  model down as far as fills the window. Each step flies there. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { findTensor } from "../../graph/shape";
import type { Graph, TensorInfo } from "../../graph/types";
import { shownAs } from "../../layout/display-name";
import { plateCell } from "../../layout/plate-cell";
import type { Bounds, Plate, Region } from "../../layout/types";
import { HOME_FOV, viewOfBounds } from "../../layout/view";
import { regionsAround, regionsAt } from "../../layout/whereabouts";
import type { CameraPort, FlightPort, PickPort, PlacesPort, RestPort } from "../../scene/ports";
import type { FlightTarget } from "../../scene/types";
import { type Cell, graph, laidOut, selected } from "../../state/store";
import { useActions } from "../shared/actions";
import { shortLabel } from "../shared/cell-words";
import "./map.css";

/** The eye has to rest this long. */
const REST = 90;
/** A section is where one is when the window shows no more than so many times what it takes to see it whole. */
const FILLS = 1.25;
/** All is in the window from so many times the distance that the box around it takes, which has empty corners. */
const ALL = 0.88;

interface Crumb {
  readonly text: string;
  readonly target: FlightTarget;
}

export function Crumbs({ canvas }: { canvas: HTMLCanvasElement }) {
  const { map } = useActions();
  const moves = useRests(map);
  const now = graph.value;
  if (!map || !now || laidOut.value === null || moves.value < 0) return null;
  const cell = selected.value;
  const ofCell = cell && isInWindow(map, canvas, cell) ? crumbsOfCell(map, now, cell) : null;
  const crumbs = ofCell ?? crumbsOfView(map, now, canvas);
  return (
    <nav class="crumbs" aria-label={ofCell ? "Where the chosen cell is" : "Where the view is"}>
      <ol>
        {crumbs.map(({ text, target }, at) => (
          <li key={`${at} ${text}`}>
            <button
              type="button"
              aria-current={at === crumbs.length - 1 ? "location" : undefined}
              onClick={() => fly(map, target)}
            >
              {text}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function fly(map: CameraPort & FlightPort, target: FlightTarget): void {
  if ("region" in target && target.region === "model") map.fit(true);
  else map.flyTo(target);
}

/** Counts how often the eye has come to rest. */
function useRests(map: (CameraPort & RestPort) | null) {
  const moves = useSignal(0);
  useEffect(() => {
    if (!map) return;
    let timer = 0;
    const stop = map.onCameraChange(() => {
      window.clearTimeout(timer);
      timer = window.setTimeout(async () => {
        // What is in the window is known once it has been drawn.
        await map.whenIdle();
        moves.value++;
      }, REST);
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [map]);
  return moves;
}

function isInWindow(map: PlacesPort, { clientWidth, clientHeight }: HTMLCanvasElement, cell: Cell): boolean {
  const at = map.project(cell);
  return at !== null && at.x >= 0 && at.y >= 0 && at.x <= clientWidth && at.y <= clientHeight;
}

function crumbsOfCell(map: PlacesPort, now: Graph, cell: Cell): readonly Crumb[] | null {
  const shown = shownAs(map.layout, now, cell.tensor);
  const info = shown && findTensor(now, shown.tensor);
  const index = shown?.turned ? [...cell.index].reverse() : cell.index;
  const plate = info && plateCell(map.layout, info.name, index)?.plate;
  if (!plate) return null;
  return [...regionsAround(map.layout, info, plate).map(crumbOf), tensorCrumb(info, cell)];
}

function crumbsOfView(
  map: CameraPort & PickPort & PlacesPort,
  now: Graph,
  canvas: HTMLCanvasElement,
): readonly Crumb[] {
  const model = map.layout.regions.find(({ kind }) => kind === "model");
  // One of two stacks may be as large as both.
  if (model && showsAll(map, model.bounds)) return [crumbOf(model)];
  const hit = map.pick(canvas.clientWidth / 2, canvas.clientHeight / 2);
  const info = hit ? findTensor(now, hit.tensor) : undefined;
  const { target } = map.getCamera();
  const around =
    hit && info ? regionsAround(map.layout, info, hit.plate) : regionsAt(map.layout, target[0], target[1]);
  const crumbs = around
    .filter(({ kind, bounds }) => kind === "model" || fillsWindow(map, bounds))
    .map(crumbOf);
  const whole = crumbs.length === around.length && hit && info && fillsWindow(map, boundsOf(hit.plate));
  return whole ? [...crumbs, tensorCrumb(info, hit)] : crumbs;
}

const crumbOf = ({ id, name }: Region): Crumb => ({ text: name, target: { region: id } });

const tensorCrumb = (info: TensorInfo, { tensor, index }: Cell): Crumb => ({
  text: shortLabel(info),
  target: { plateOf: { tensor, index } },
});

function boundsOf({ x, y, z, columns, rows }: Plate): Bounds {
  return { min: [x, y, z - 1], max: [x + columns, y + rows, z] };
}

/** Tells whether all of a section is in the window, as far as one can tell from the distance. */
function showsAll(map: CameraPort, bounds: Bounds): boolean {
  return map.getCamera().distance >= ALL * wholeView(map, bounds);
}

/** Tells whether a section takes up enough of the window to be where one is. */
function fillsWindow(map: CameraPort, bounds: Bounds): boolean {
  return map.getCamera().distance <= FILLS * wholeView(map, bounds);
}

/** From how far a section is seen whole. */
function wholeView(map: CameraPort, bounds: Bounds): number {
  const { azimuth, elevation } = map.getCamera();
  const radians = Math.PI / 180;
  const lens = { fov: HOME_FOV, aspect: map.aspect };
  return viewOfBounds(bounds, lens, azimuth * radians, elevation * radians).distance;
}
