/** From an explanation to the script that plays it: where the slip of paper lies, and from where to look. */

import { MOST_ROWS, type NumberAt, rehearse, type Script, type Slip, type Sum } from "../layout/arithmetic";
import { HOME_FOV, type Point, type View, viewOfBounds } from "../layout/view";
import type { Explanation } from "../net/explain";
import type { CameraState, MapView } from "../scene/types";

/** Pixels of a cell on the slip, and the shares of the window's height and width that the slip may take. */
const CELL = 19;
const TALLEST = 0.8;
const WIDEST = 0.8;
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

export function rehearsal(map: MapView, answer: Explanation, width: number, height: number): Rehearsal {
  const sum = sumOf(answer);
  const where = (tensor: string, index: readonly number[]): Point | null => map.place({ tensor, index });
  const points = [
    sum.target,
    ...sum.parts.values(),
    // Only what is shown one by one flies.
    ...sum.terms.slice(0, MOST_ROWS).flatMap(({ operands }) => operands),
  ].flatMap(({ tensor, index }) => {
    const place = where(tensor, index);
    return place ? [place] : [];
  });
  const lens = { fov: HOME_FOV, aspect: width / height };
  const viewOf = (bounds: Bounds): View =>
    viewOfBounds(bounds, lens, (ANGLES.azimuth * Math.PI) / 180, (ANGLES.elevation * Math.PI) / 180);
  const bounds = boundsOf(points);
  const rehearsed = (corner: Corner): Rehearsal => {
    let slip: Slip = { corner: [0, 0, 0], cell: 1 };
    let script = rehearse(sum, where, slip);
    let whole = bounds;
    // The slip's size follows from the distance, and the distance from the slip: it settles in a few rounds.
    for (let round = 0; round < 4; round++) {
      const distance = Math.max(NEAREST, viewOf(whole).distance);
      const pixels = height / 2 / Math.tan(((HOME_FOV / 2) * Math.PI) / 180) / distance;
      const [columns, rows] = script.extent.map((length) => length / script.slip.cell) as [number, number];
      const cell = Math.min(CELL, (height * TALLEST) / rows, (width * WIDEST) / columns) / pixels;
      const [x, y] = corner(columns * cell, rows * cell, 2 * cell);
      slip = { corner: [x, y, bounds.max[2] + 1], cell };
      script = rehearse(sum, where, slip);
      whole = withSlip(bounds, script);
    }
    const view = viewOf(whole);
    return { script, camera: { target: view.target, distance: Math.max(NEAREST, view.distance), ...ANGLES } };
  };
  return placesOfSlip(points, bounds)
    .map(rehearsed)
    .reduce((best, one) => (one.camera.distance < best.camera.distance * 0.99 ? one : best));
}

/** Where a slip of a size lies: the left and upper edge, `apart` from what it must not hide. */
type Corner = (wide: number, tall: number, apart: number) => readonly [x: number, y: number];

/** Places for the slip that hide none of the cells that fly: in the widest gap between them, under them, over them, and
 *  beside them. The eye takes the one that it can be nearest to. */
function placesOfSlip(points: readonly Point[], { min, max }: Bounds): readonly Corner[] {
  const along = points.map(([x]) => x).sort((a, b) => a - b);
  let [from, to] = [0, 0];
  for (const [i, x] of along.entries()) {
    const next = along[i + 1] ?? x;
    if (next - x > to - from) [from, to] = [x, next];
  }
  const [middle, center] = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2];
  const beside: Corner = (_, tall, apart) => [max[0] + apart, center - tall / 2];
  return [
    (wide, tall, apart) =>
      to - from > wide + apart ? [(from + to - wide) / 2, center - tall / 2] : beside(wide, tall, apart),
    (wide, _, apart) => [middle - wide / 2, max[1] + apart],
    (wide, tall, apart) => [middle - wide / 2, min[1] - apart - tall],
    beside,
  ];
}

interface Bounds {
  readonly min: Point;
  readonly max: Point;
}

function boundsOf(points: readonly Point[]): Bounds {
  const along = (axis: 0 | 1 | 2) => points.map((point) => point[axis]);
  const [x, y, z] = [along(0), along(1), along(2)];
  if (points.length === 0) return { min: [0, 0, 0], max: [1, 1, 1] };
  return {
    min: [Math.min(...x) - 1, Math.min(...y) - 1, Math.min(...z)],
    max: [Math.max(...x) + 1, Math.max(...y) + 1, Math.max(...z)],
  };
}

function withSlip({ min, max }: Bounds, { slip, extent }: Script): Bounds {
  const [x, y, z] = slip.corner;
  return {
    min: [Math.min(min[0], x), Math.min(min[1], y), Math.min(min[2], z)],
    max: [Math.max(max[0], x + extent[0]), Math.max(max[1], y + extent[1]), Math.max(max[2], z)],
  };
}
