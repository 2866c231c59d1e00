/** One moment of a forward pass as a picture: which plates step back, which cells are framed because they are read or
 *  made, which are still empty, and from where to look. Follows from graph, layout and moment alone.
 */

import { type Moment, markOf, type Pass, type Step, stepsUnder } from "../graph/pass";
import { findTensor, isTokenAxis, type Positions, shapeAt } from "../graph/shape";
import type { Graph, Role } from "../graph/types";
import { shownAs } from "./display-name";
import { attentionAround, bringToFront, type Front } from "./front";
import { platesOf, rectangles } from "./plate-cell";
import type { Bounds, Layout, Plate } from "./types";
import { type Lens, type Point, plateCorners, type View, viewOfBounds, viewOfPoints } from "./view";

/** How far plates that take no part are mixed toward the paper. */
export const DIMS = { weight: 0.82, made: 0.74, unmade: 0.96, otherHead: 0.93 } as const;

/** A rectangle of cells on a plate, wherever that stands just now. */
export interface Frame {
  readonly kind: "read" | "made" | "unmade";
  readonly role: Role;
  /** Id of the plate. */
  readonly plate: number;
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
}

/** By plate id, how far it is mixed toward the paper; what is not named stands as it is. */
export type Dims = ReadonlyMap<number, number>;

// ---- what steps back ---------------------------------------------------------------------------------------

/** Dims of every plate during a step: what it reads and makes stands out, what has been made is there, what is yet to
 *  come is empty. */
export function dimsOf(
  graph: Graph,
  layout: Layout,
  pass: Pass,
  step: Step,
  front: Front | null = null,
): Dims {
  const made = stepsByTensor(pass);
  const busy = new Set([
    step.output.name,
    ...step.op.reads.map(({ tensor }) => drawnName(graph, layout, tensor)),
  ]);
  const dims = new Map<number, number>();
  for (const { id, tensor, role } of layout.plates) {
    if (busy.has(tensor)) {
      if (front?.others.has(id)) dims.set(id, DIMS.otherHead);
      continue;
    }
    const at = made.get(tensor);
    if (role === "weight" || at === undefined) dims.set(id, DIMS.weight);
    else dims.set(id, at < step.number ? DIMS.made : DIMS.unmade);
  }
  return dims;
}

/** Dims of every plate while a pass is told block by block: the block that a step stands under stands out. */
export function dimsOfBlock(layout: Layout, pass: Pass, step: Step): Dims {
  const [first, end] = stepsUnder(pass, markOf(pass, step.number)!);
  const busy = new Set(
    pass.steps
      .slice(first, end)
      .flatMap(({ op, output }) => [output.name, ...op.reads.map(({ tensor }) => tensor)]),
  );
  const made = stepsByTensor(pass);
  const dims = new Map<number, number>();
  for (const { id, tensor, role } of layout.plates) {
    const at = made.get(tensor);
    if (busy.has(tensor)) {
      // Within the block, what is yet to come is still empty.
      if (role !== "weight" && at !== undefined && at > step.number) dims.set(id, DIMS.unmade);
    } else if (role === "weight" || at === undefined) dims.set(id, DIMS.weight);
    else dims.set(id, at < step.number ? DIMS.made : DIMS.unmade);
  }
  return dims;
}

const steps = new WeakMap<Pass, ReadonlyMap<string, number>>();

function stepsByTensor(pass: Pass): ReadonlyMap<string, number> {
  const known = steps.get(pass) ?? new Map(pass.steps.map(({ output, number }) => [output.name, number]));
  steps.set(pass, known);
  return known;
}

const drawnName = (graph: Graph, layout: Layout, tensor: string): string =>
  shownAs(layout, graph, tensor)?.tensor ?? tensor;

// ---- what is framed ----------------------------------------------------------------------------------------

/** The rectangles of a moment, on the plates that they lie on: what is empty first, so that frames lie over it. */
export function framesOf(
  graph: Graph,
  layout: Layout,
  moment: Moment,
  front: Front | null = null,
): readonly Frame[] {
  const placed = (kind: Frame["kind"], boxes: Moment["reads"]): readonly Frame[] =>
    boxes.flatMap((box) => {
      const shown = shownAs(layout, graph, box.tensor);
      if (!shown) return [];
      const { turned, tensor } = shown;
      const [start, stop] = turned
        ? [[...box.start].reverse(), [...box.stop].reverse()]
        : [box.start, box.stop];
      return rectangles(layout, { tensor, start, stop })
        .filter(({ plate }) => !front?.others.has(plate.id))
        .map(({ plate: { id, role }, row, column, rows, columns }): Frame => {
          return { kind, role, plate: id, column, row, columns, rows };
        });
    });
  return [
    ...placed("unmade", moment.unmade),
    ...placed("read", moment.reads),
    ...placed("made", moment.makes),
  ];
}

// ---- from where to look ------------------------------------------------------------------------------------

/** Nearly straight on, so that numbers read well and depth still shows. */
const AZIMUTH = (-9 * Math.PI) / 180;
const ELEVATION = (6 * Math.PI) / 180;
/** Never nearer than this share of the distance from which the whole section is seen: the eye keeps its bearings. A
 *  head that stands in front is a place of its own. */
const NEAREST = 0.22;
const NEAREST_HEAD = 0.12;
/** What is read is left out where it would take the eye farther away than this many times that distance. */
const FARTHEST = 1.1;

/** A view of what a step makes, and of what it reads nearby: of the tokens that there are, and of one head, where there
 *  are several, which is in front then, whichever it is. */
export function viewOfStep(graph: Graph, layout: Layout, step: Step, positions: Positions, lens: Lens): View {
  const attention = attentionAround(graph, step.output.name);
  const front = attention === null ? null : bringToFront(graph, layout, { attention, head: 0 });
  const pointsOf = (tensor: string): readonly Point[] =>
    platesOf(layout, tensor)
      .filter(({ id }) => !front?.others.has(id))
      .flatMap((plate) => usedCorners(graph, plate, positions, front?.moved.get(plate.id)?.by));
  const view = (points: readonly Point[]): View => viewOfPoints(points, lens, AZIMUTH, ELEVATION);
  const made = pointsOf(step.output.name);
  const section = viewOfBounds(boundsAround(layout, step), lens);
  if (made.length === 0) return section;
  let points = made;
  let best = view(made);
  for (const { tensor } of step.op.reads) {
    const more = [...points, ...pointsOf(drawnName(graph, layout, tensor))];
    const wider = view(more);
    if (wider.distance > section.distance * FARTHEST) continue;
    best = wider;
    points = more;
  }
  const nearest = section.distance * (front ? NEAREST_HEAD : NEAREST);
  return { ...best, distance: Math.max(best.distance, nearest) };
}

/** The corners of the part of a plate that there are tokens for. */
function usedCorners(
  graph: Graph,
  plate: Plate,
  positions: Positions,
  [right, down, nearer]: Point = [0, 0, 0],
): readonly Point[] {
  const info = findTensor(graph, plate.source);
  const shape = info && shapeAt(info, positions);
  const used = (axis: number | null, size: number): number =>
    axis === null || !isTokenAxis(info?.axes[axis] ?? "") ? size : Math.min(size, shape?.[axis] || size);
  return plateCorners({
    x: plate.x + right,
    y: plate.y + down,
    z: plate.z + nearer,
    columns: used(plate.columnAxis, plate.columns),
    rows: used(plate.rowAxis, plate.rows),
  });
}

/** A view of the block, the embedding or the output that a step belongs to. */
export const viewOfBlock = (layout: Layout, step: Step, lens: Lens): View =>
  viewOfBounds(boundsAround(layout, step), lens);

/** Bounds of the block, the embedding or the output in which a step's output stands. */
function boundsAround(layout: Layout, { output }: Step): Bounds {
  const [first] = platesOf(layout, output.name);
  const inside = ({ min, max }: Bounds): boolean =>
    first !== undefined && first.x >= min[0] && first.x < max[0] && first.y >= min[1] && first.y < max[1];
  const section = layout.regions.find(
    ({ kind, bounds: own }) => (kind === "block" || kind === "embedding" || kind === "output") && inside(own),
  );
  return section?.bounds ?? layout.bounds;
}
