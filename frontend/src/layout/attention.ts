/** Attention: heads behind one another, going away from the viewer, and the square that joins them again.
 *
 *  Seen from the home direction, depth moves a plate left and up. Heads rise with depth just enough that each shows
 *  above the one before it, and all of them together take the height of the norm and of `W_O`, which stand beside
 *  them anyway: the fan costs no height of its own.
 */

import type { Measures } from "./measures";
import type { Paper } from "./sheet";
import { HOME_AZIMUTH, HOME_ELEVATION, HOME_FOV } from "./view";

/** How far up one cell of depth moves a plate as seen from the home direction. Perspective looks down on the lower
 *  blocks more steeply, by up to half the field of view; half of that is allowed for. */
const STEEPER = (HOME_FOV / 4) * (Math.PI / 180);
const DEPTH_UP = Math.tan(HOME_ELEVATION + STEEPER) / Math.cos(HOME_AZIMUTH);
/** The share of a head that must show above the one before it. */
const SHOWN = 0.62;

interface Fan {
  /** Left edge of the front head, and its width. */
  readonly x: number;
  /** Depth from head to head. */
  readonly depth: number;
  /** How much higher each head stands than the one before. */
  readonly rise: number;
  readonly headHeight: number;
  readonly height: number;
}

/** Where the parts of one head are, from its upper left corner. */
interface HeadPlan {
  readonly bias: number;
  readonly vector: number;
  readonly raw: number;
  readonly scores: number;
  readonly max: number;
  readonly sum: number;
  readonly pattern: number;
  readonly width: number;
  readonly rowPitch: number;
  readonly scoresY: number;
  readonly zY: number;
  readonly height: number;
}

function headPlan({ modelWidth, headWidth, positions, narrow, hair }: Measures): HeadPlan {
  const bias = modelWidth + hair;
  const vector = bias + 1 + narrow;
  const raw = vector + positions + 2 * narrow;
  const scores = raw + positions + narrow;
  const max = scores + positions + hair;
  const sum = max + 1 + hair;
  const pattern = sum + 1 + hair;
  const rowPitch = headWidth + narrow;
  // Scores stand between the queries and the keys that they match; what they weigh, the values, is next.
  const scoresY = Math.max(0, Math.floor((headWidth + rowPitch - positions) / 2));
  const zY = Math.max(2 * rowPitch, scoresY + positions + narrow);
  const width = pattern + positions;
  return {
    bias,
    vector,
    raw,
    scores,
    max,
    sum,
    pattern,
    width,
    rowPitch,
    scoresY,
    zY,
    height: zY + headWidth,
  };
}

function fan(measures: Measures, plan: HeadPlan): Fan {
  const { heads, headWidth, modelWidth, positions, gap, headsX } = measures;
  const steps = Math.max(1, heads - 1);
  const height = Math.max(2 * modelWidth + gap, plan.height * (1 + SHOWN * (heads - 1)));
  const depth = Math.round(2 * headWidth + positions / 2);
  const rise = (height - plan.height) / steps - depth * DEPTH_UP;
  return {
    x: headsX - plan.width,
    depth,
    rise: heads > 1 ? Math.round(rise) : 0,
    headHeight: plan.height,
    height: Math.ceil(height),
  };
}

/** Draw heads, `W_O` and what attention adds to the stream; `y` is where the norm beside it starts. Its end. */
export function drawAttention(paper: Paper, layer: number, y: number): number {
  const { heads, headWidth, modelWidth, weightsX, joinX, outX, hair } = paper.measures;
  const plan = headPlan(paper.measures);
  const { x, depth, rise, headHeight, height } = fan(paper.measures, plan);
  const bottom = y + height;
  const outY = bottom - modelWidth;
  const name = `blocks.${layer}.attn`;
  for (let head = 0; head < heads; head++)
    drawHead(paper, name, head, plan, { x, y: bottom - headHeight - head * rise, z: -head * depth });
  for (let head = 0; head < heads; head++)
    paper.put(`${name}.W_O`, { x: joinX + head * headWidth, y: outY, head });
  paper.put(`${name}.b_O`, { x: weightsX + hair, y: outY });
  paper.put(`blocks.${layer}.hook_attn_out`, { x: outX, y: outY });
  return bottom;
}

function drawHead(
  paper: Paper,
  name: string,
  head: number,
  plan: HeadPlan,
  corner: { readonly x: number; readonly y: number; readonly z: number },
): void {
  const put = (part: string, dx: number, dy: number): void =>
    paper.put(`${name}.${part}`, { x: corner.x + dx, y: corner.y + dy, z: corner.z, head });
  for (const [row, letter] of ["Q", "K", "V"].entries()) {
    put(`W_${letter}`, 0, row * plan.rowPitch);
    put(`b_${letter}`, plan.bias, row * plan.rowPitch);
    put(`hook_${letter.toLowerCase()}`, plan.vector, row * plan.rowPitch);
  }
  put("hook_attn_scores_raw", plan.raw, plan.scoresY);
  put("hook_attn_scores", plan.scores, plan.scoresY);
  put("hook_max", plan.max, plan.scoresY);
  put("hook_sum", plan.sum, plan.scoresY);
  put("hook_pattern", plan.pattern, plan.scoresY);
  put("hook_z", plan.pattern, plan.zY);
}
