/** From an explanation to the script that plays it: where the slip of paper lies, and from where to look. */

import { rectangles } from "../../layout/plate-cell";
import type { Bounds as Box } from "../../layout/types";
import { HOME_FOV, type Point, type View, viewOfBounds } from "../../layout/view";
import type { Explanation } from "../../net/explain";
import { rehearse } from "../../playback/cell/rehearse";
import { MOST_ROWS, type NumberAt, type Script, type Slip, type Sum } from "../../playback/cell/script";
import type { PlacesPort, ValuesPort } from "../../scene/ports";
import type { CameraState } from "../../scene/types";

/** Pixels of a cell on the slip, and the shares of the window's height and width that the slip may take. */
const CELL = 19;
const TALLEST = 0.8;
const WIDEST = 0.8;
/** Cells of the slip between it and what it must not hide, and the fewest that may be. */
const APART = 1.6;
const CLEAR = 1;
/** Rows that a plate's name takes. */
const NAME = 6;
/** Tensors beside whose cells the slip may lie. */
const MOST_BLOCKS = 5;
/** Share of the window that the view fills: names, trail and legend need the rest. */
const ROOM = 0.84;
/** The eye comes no nearer. */
const NEAREST = 40;
/** Straight on but for a little, so that digits read well and depth still shows. */
const ANGLES = { azimuth: -8, elevation: 5 };

export interface Rehearsal {
  readonly script: Script;
  readonly camera: CameraState;
}

/** The sum of an explanation, as it is played. */
export function sumOf(answer: Explanation): Sum {
  const parts = new Map<string, NumberAt>();
  for (const operand of answer.operands)
    if (operand.count === 1)
      parts.set(operand.part, {
        tensor: operand.tensor,
        index: operand.start,
        value: operand.values?.[0] ?? null,
      });
  const { merging = null, sign = "", steps = [] } = answer.playback ?? {};
  return {
    merging,
    sign,
    steps: steps.map((step) => ({ ...step, joins: (step.joins !== null && parts.get(step.joins)) || null })),
    target: { tensor: answer.tensor, index: answer.index, value: answer.result ?? answer.captured },
    combine: answer.combine,
    terms: answer.terms,
    rest: answer.rest,
    bias: answer.bias,
    parts,
  };
}

/** Cells of one operand that fly without numbers, at most; of a longer one every so many. */
const MOST_OF_SWARM = 48;

/** The cells of operands that are read as a row, but for those of the terms that are shown one by one. */
function swarmOf(map: ValuesPort, { operands, terms, tensor: target }: Explanation): readonly NumberAt[] {
  const shown = new Set(
    terms
      .slice(0, MOST_ROWS)
      .flatMap((term) => term.operands.map(({ tensor, index }) => `${tensor} ${index}`)),
  );
  return operands
    .filter(({ count, tensor }) => count > 1 && tensor !== target)
    .flatMap(({ tensor, start, stop, count }) => {
      const every = Math.ceil(count / MOST_OF_SWARM);
      return cellsOf(start, stop, every)
        .filter((index) => !shown.has(`${tensor} ${index}`))
        .map((index) => ({ tensor, index, value: map.valueAt(tensor, index) ?? null }));
    });
}

/** Indices of a box, the last axis fastest: every so many of them. */
function cellsOf(
  start: readonly number[],
  stop: readonly number[],
  every: number,
): readonly (readonly number[])[] {
  const sizes = start.map((from, axis) => stop[axis]! - from);
  const count = sizes.reduce((product, size) => product * size, 1);
  return Array.from({ length: Math.ceil(count / every) }, (_, n) => {
    let left = n * every;
    const index = [...start];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      index[axis] = start[axis]! + (left % sizes[axis]!);
      left = Math.floor(left / sizes[axis]!);
    }
    return index;
  });
}

export function rehearsal(
  map: PlacesPort & ValuesPort,
  answer: Explanation,
  width: number,
  height: number,
): Rehearsal {
  const sum = { ...sumOf(answer), swarm: swarmOf(map, answer) };
  const where = (tensor: string, index: readonly number[]): Point | null => map.place({ tensor, index });
  const cells = [
    sum.target,
    ...sum.parts.values(),
    ...sum.swarm,
    // Only what is shown one by one flies with its number.
    ...sum.terms.slice(0, MOST_ROWS).flatMap(({ operands }) => operands),
  ];
  const blocks = blocksOf(cells, where);
  const plates = [...new Map(cells.map((one) => [one.tensor, one])).values()].flatMap(
    (one) => plateOf(map, one) ?? [],
  );
  const bounds = boundsOf(blocks);
  const lens = { fov: HOME_FOV * ROOM, aspect: width / height };
  const viewOf = (box: Bounds): View =>
    viewOfBounds(box, lens, (ANGLES.azimuth * Math.PI) / 180, (ANGLES.elevation * Math.PI) / 180);
  const { extent } = rehearse(sum, where, { corner: [0, 0, 0], cell: 1 });
  const laid = (place: PlaceOfSlip): Laid => {
    let cell = 1;
    let whole = bounds;
    let slip: Slip = { corner: [0, 0, 0], cell };
    // The slip's size follows from the distance, and the distance from the slip: it settles in a few rounds.
    for (let round = 0; round < 5; round++) {
      const distance = Math.max(NEAREST, viewOf(whole).distance);
      const pixels = height / 2 / Math.tan(((HOME_FOV / 2) * Math.PI) / 180) / distance;
      cell = Math.min(CELL, (height * TALLEST) / extent[1], (width * WIDEST) / extent[0]) / pixels;
      const [x, y] = place(extent[0] * cell, extent[1] * cell, APART * cell);
      slip = { corner: [x, y, bounds.max[2] + 1], cell };
      whole = withSlip(bounds, slip, extent);
    }
    const overCells = blocks.some((block) => hides(slip, extent, block));
    const overPlates = plates.some((plate) => hides(slip, extent, plate));
    return { slip, view: viewOf(whole), overCells, overPlates };
  };
  const { slip, view } = placesOfSlip(blocks, bounds)
    .map(laid)
    .reduce((best, one) => (costOf(one) < costOf(best) * 0.99 ? one : best));
  return {
    script: rehearse(sum, where, slip),
    camera: { target: view.target, distance: Math.max(NEAREST, view.distance), ...ANGLES },
  };
}

/** A slip in its place, and the view of it with all that flies. */
interface Laid {
  readonly slip: Slip;
  readonly view: View;
  /** Whether it lies over cells that it speaks of, and over the plates of these. */
  readonly overCells: boolean;
  readonly overPlates: boolean;
}

/** Never over the cells; over their plates only where the eye would have to go much farther away otherwise. */
const costOf = ({ view, overCells, overPlates }: Laid): number =>
  view.distance * (overCells ? 100 : overPlates ? 1.35 : 1);

/** Where a slip of a size lies: the left and upper edge, `apart` from what it must not hide. */
type PlaceOfSlip = (wide: number, tall: number, apart: number) => readonly [x: number, y: number];

/** Places for the slip: beside, over and under the cells of each tensor, along their edges and in the middle of all.
 *  The eye takes the one that it can be nearest to, of those that hide none of them. */
function placesOfSlip(blocks: readonly Bounds[], all: Bounds): readonly PlaceOfSlip[] {
  const rows: ((tall: number, apart: number) => number)[] = [(tall) => (all.min[1] + all.max[1] - tall) / 2];
  const columns: ((wide: number, apart: number) => number)[] = [
    (wide) => (all.min[0] + all.max[0] - wide) / 2,
  ];
  for (const { min, max } of [...blocks.slice(0, MOST_BLOCKS), all]) {
    rows.push(
      () => min[1],
      (tall) => max[1] - tall,
      (_, apart) => max[1] + apart,
      (tall, apart) => min[1] - apart - tall,
    );
    columns.push(
      () => min[0],
      (wide) => max[0] - wide,
      (_, apart) => max[0] + apart,
      (wide, apart) => min[0] - apart - wide,
    );
  }
  return columns.flatMap((column) =>
    rows.map(
      (row): PlaceOfSlip =>
        (wide, tall, apart) => [column(wide, apart), row(tall, apart)],
    ),
  );
}

type Bounds = Pick<Box, "min" | "max">;

/** By tensor, the cells that fly from it or come to rest on it: in the layout's x and y, where the slip lies too. */
function blocksOf(
  cells: readonly NumberAt[],
  where: (tensor: string, index: readonly number[]) => Point | null,
): readonly Bounds[] {
  const found = new Map<string, Point[]>();
  for (const { tensor, index } of cells) {
    const place = where(tensor, index);
    if (place) found.set(tensor, [...(found.get(tensor) ?? []), place]);
  }
  return [...found.values()].map((points) => {
    const along = (axis: 0 | 1 | 2) => points.map((point) => point[axis]);
    const [x, y, z] = [along(0), along(1), along(2)];
    return {
      min: [Math.min(...x) - 1, Math.min(...y) - 1, Math.min(...z)],
      max: [Math.max(...x) + 1, Math.max(...y) + 1, Math.max(...z)],
    };
  });
}

/** Where the plate of a cell comes to rest, its name above it included. */
function plateOf(map: PlacesPort, { tensor, index }: NumberAt): Bounds | null {
  const at = map.place({ tensor, index });
  const [found] = rectangles(map.layout, { tensor, start: index, stop: index.map((one) => one + 1) });
  if (!at || !found) return null;
  const { plate, row, column } = found;
  const [x, y] = [at[0] - column - 0.5, at[1] - row - 0.5];
  return { min: [x, y - NAME, at[2]], max: [x + plate.columns, y + plate.rows, at[2]] };
}

function boundsOf(blocks: readonly Bounds[]): Bounds {
  if (blocks.length === 0) return { min: [0, 0, 0], max: [1, 1, 1] };
  const along = (side: "min" | "max", axis: 0 | 1 | 2) => blocks.map((block) => block[side][axis]);
  const least = (axis: 0 | 1 | 2) => Math.min(...along("min", axis));
  const most = (axis: 0 | 1 | 2) => Math.max(...along("max", axis));
  return { min: [least(0), least(1), least(2)], max: [most(0), most(1), most(2)] };
}

function hides(
  { corner: [x, y], cell }: Slip,
  [wide, tall]: readonly [number, number],
  { min, max }: Bounds,
): boolean {
  const apart = CLEAR * cell;
  return (
    x - apart < max[0] &&
    x + wide * cell + apart > min[0] &&
    y - apart < max[1] &&
    y + tall * cell + apart > min[1]
  );
}

function withSlip(
  { min, max }: Bounds,
  { corner: [x, y, z], cell }: Slip,
  [wide, tall]: readonly [number, number],
): Bounds {
  return {
    min: [Math.min(min[0], x), Math.min(min[1], y), Math.min(min[2], z)],
    max: [Math.max(max[0], x + wide * cell), Math.max(max[1], y + tall * cell), Math.max(max[2], z)],
  };
}
