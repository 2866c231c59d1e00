/** Where the heads of an attention stand, and where the plates within a head are.
 *
 *  Within a head data goes right: weights, biases, queries over keys over values, their norms and rotations, scores,
 *  the softmax's summaries, the pattern, and under it what it mixes. Keys and values that several heads share stand
 *  in the first of them.
 */

import type { Measures } from "./measures";
import type { Paper } from "./sheet";
import { HOME_AZIMUTH, HOME_ELEVATION, HOME_FOV } from "./view";

/** A plate of a head, from the head's upper left corner. */
interface Piece {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

export interface HeadPlan {
  readonly pieces: readonly Piece[];
  readonly width: number;
  readonly height: number;
}

/** The plates of one head of the attention of that name. */
export function headPlan(paper: Paper, attention: string): HeadPlan {
  const { narrow, hair, headWidth } = paper.measures;
  const queries = chain(paper, attention, "Q", 0);
  const keys = chain(paper, attention, "K", bottomOf(paper, queries) + narrow);
  const matched = bottomOf(paper, [...queries, ...keys]);
  const values = chain(paper, attention, "V", matched + narrow);
  const rows = [queries, keys, values];
  const square = paper.sizeOf(`${attention}.hook_pattern`) ?? { rows: 0, columns: 0 };
  // Scores stand between the queries and the keys that they match; what they weigh, the values, is next.
  const scoresY = Math.max(0, Math.floor((matched - square.rows) / 2));
  let x = Math.max(...rows.map((row) => rightOf(paper, row))) + 2 * narrow;
  const scores: Piece[] = [];
  for (const [leaf, after] of [
    ["hook_attn_scores_raw", narrow],
    ["hook_attn_scores", hair],
    ["hook_max", hair],
    ["hook_sum", hair],
    ["hook_pattern", 0],
  ] as const) {
    const size = paper.sizeOf(`${attention}.${leaf}`);
    if (!size) continue;
    scores.push({ name: `${attention}.${leaf}`, x, y: scoresY });
    x += size.columns + after;
  }
  const last = scores.at(-1)!;
  const valuesY = values[0]?.y ?? 0;
  const mixed = {
    name: `${attention}.hook_z`,
    x: last.x,
    y: Math.max(valuesY, scoresY + square.rows + narrow),
  };
  const pieces = [...rows.flat(), ...scores, mixed];
  return {
    pieces,
    width: rightOf(paper, pieces),
    height: Math.max(mixed.y + headWidth, bottomOf(paper, pieces)),
  };
}

/** Weights, bias and vectors of queries (keys, values), and what is made of the vectors before they are used. */
function chain(paper: Paper, attention: string, letter: string, y: number): readonly Piece[] {
  const { narrow, hair } = paper.measures;
  const small = letter.toLowerCase();
  const norm = `${attention}.${small}_norm`;
  const summaries = [`${norm}.hook_mean`, `${norm}.hook_scale`].filter((name) => paper.sizeOf(name));
  const top = y + summaries.length * (1 + hair);
  const pieces: Piece[] = [];
  let x = 0;
  for (const [name, before] of [
    [`${attention}.W_${letter}`, 0],
    [`${attention}.b_${letter}`, hair],
    [`${attention}.hook_${small}`, narrow],
    // Bands come in between.
    [`${norm}.hook_normalized`, 2 * narrow],
    [`${norm}.w`, hair],
    [`${norm}.b`, hair],
    [`${norm}.hook_out`, narrow],
    [`${attention}.hook_rot_${small}`, 2 * narrow],
  ] as const) {
    const size = paper.sizeOf(name);
    if (!size) continue;
    x += before;
    pieces.push({ name, x, y: top });
    if (name.endsWith("hook_normalized"))
      for (const [i, summary] of summaries.entries())
        pieces.push({ name: summary, x, y: y + i * (1 + hair) });
    x += size.columns;
  }
  return pieces;
}

function rightOf(paper: Paper, pieces: readonly Piece[]): number {
  return pieces.reduce((most, { name, x }) => Math.max(most, x + (paper.sizeOf(name)?.columns ?? 0)), 0);
}

function bottomOf(paper: Paper, pieces: readonly Piece[]): number {
  return pieces.reduce((most, { name, y }) => Math.max(most, y + (paper.sizeOf(name)?.rows ?? 0)), 0);
}

/** Upper left corner of a head; from the arrangement's own top, right edge and front. */
export interface Corner {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Which of the heads beside each other it is, from the right. */
  readonly across: number;
}

export interface Arrangement {
  readonly corners: readonly Corner[];
  readonly height: number;
}

/** How far up one cell of depth moves a plate as seen from the home direction. Perspective looks down on the lower
 *  blocks more steeply, by up to half the field of view; half of that is allowed for. */
const STEEPER = (HOME_FOV / 4) * (Math.PI / 180);
const DEPTH_UP = Math.tan(HOME_ELEVATION + STEEPER) / Math.cos(HOME_AZIMUTH);
/** The share of a head that must show above the one before it. */
const SHOWN = 0.62;
/** Between groups of heads that share keys, in steps from head to head. */
const GROUP_STEP = 0.5;

/** Where the corners of all heads are; they take at least `least` of height. */
export function arrange(measures: Measures, plan: HeadPlan, least: number): Arrangement {
  switch (measures.arrangement) {
    case "fan":
      return fan(measures, plan, least);
    case "stack":
      return stack(measures, plan, least);
    case "board":
      return board(measures, plan, least);
  }
}

/** Steps back from the first head, whole ones within a group. */
function stepsOf({ heads, group }: Measures): readonly number[] {
  const extra = group > 1 ? GROUP_STEP : 0;
  return Array.from({ length: heads }, (_, head) => head + extra * Math.floor(head / group));
}

/** Behind each other, going away from the viewer, head 0 in front, each as much higher than the one before it as it
 *  takes for most of it to show. */
function fan(measures: Measures, plan: HeadPlan, least: number): Arrangement {
  const { headWidth, positions } = measures;
  const steps = stepsOf(measures);
  const last = steps.at(-1)!;
  const height = Math.max(least, plan.height * (1 + SHOWN * last));
  const depth = 2 * headWidth + positions / 2;
  const rise = last > 0 ? (height - plan.height) / last - Math.round(depth) * DEPTH_UP : 0;
  const bottom = Math.ceil(height);
  const corners = steps.map((step) => ({
    x: -plan.width,
    y: bottom - plan.height - Math.round(step * Math.round(rise)),
    z: -Math.round(step * Math.round(depth)),
    across: 0,
  }));
  return { corners, height: bottom };
}

/** Behind each other at one height: the shortest map. */
function stack(measures: Measures, plan: HeadPlan, least: number): Arrangement {
  const height = Math.max(least, plan.height);
  const depth = Math.round(measures.headWidth + measures.positions / 2);
  const corners = stepsOf(measures).map((step) => ({
    x: -plan.width,
    y: height - plan.height,
    z: -Math.round(step * depth),
    across: 0,
  }));
  return { corners, height };
}

/** Side by side and under each other, none before another: as many rows as fill the height that is needed anyway,
 *  more where they would be much wider than tall. */
function board(measures: Measures, plan: HeadPlan, least: number): Arrangement {
  const { heads, gap } = measures;
  const [across, down] = [plan.width + gap, plan.height + gap];
  const fitting = Math.floor((least + gap) / down);
  const square = Math.round(Math.sqrt((heads * across) / down / 2));
  const rows = Math.min(heads, Math.max(1, fitting, square));
  const columns = Math.ceil(heads / rows);
  const used = Math.ceil(heads / columns);
  const height = Math.max(least, used * down - gap);
  const corners = Array.from({ length: heads }, (_, head) => {
    const fromRight = columns - 1 - (head % columns);
    return {
      x: -plan.width - fromRight * across,
      y: Math.floor(head / columns) * down,
      z: 0,
      across: fromRight,
    };
  });
  return { corners, height };
}
