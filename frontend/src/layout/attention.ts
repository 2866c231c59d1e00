/** Attention: its heads (`heads.ts`), and the square that joins them again.
 *
 *  Seen from the home direction, depth moves a plate left and up. Heads rise with depth just enough that each shows
 *  above the one before it, and all of them together take the height of the norm and of `W_O`, which stand beside
 *  them anyway: the fan costs no height of its own.
 */

import { arrange, headPlan } from "./heads";
import type { Bay, Paper } from "./sheet";
import type { Part } from "./structure";

/** Draw heads, `W_O` and what attention adds to the stream. They begin at `y`; the bands to the heads may begin at
 *  `lanesTop`, under what stands beside them. Their end. */
export function drawAttention(paper: Paper, { name, output }: Part, y: number, lanesTop: number): number {
  const { group, headWidth, modelWidth, weightsX, joinX, headsX, addedX, gap, hair } = paper.measures;
  const plan = headPlan(paper, name);
  const { corners, height } = arrange(paper.measures, plan, lanesTop - y + 2 * modelWidth + gap);
  const bottom = y + height;
  const outY = bottom - modelWidth;
  for (const [head, corner] of corners.entries()) {
    const at = { x: headsX + corner.x, y: y + corner.y, z: corner.z };
    const bay: Bay = {
      head,
      x: paper.origin.x + at.x,
      top: paper.origin.y + at.y,
      bottom: paper.origin.y + at.y + plan.height,
      z: at.z,
      across: corner.across,
      lanesTop: paper.origin.y + lanesTop,
      lanesBottom: paper.origin.y + outY,
    };
    for (const piece of plan.pieces) {
      const index = indexIn(paper.splitAxis(piece.name), head, group);
      if (index === null) continue;
      paper.put(piece.name, { x: at.x + piece.x, y: at.y + piece.y, z: at.z, head: index, bay });
    }
  }
  for (const head of corners.keys()) paper.put(`${name}.W_O`, { x: joinX + head * headWidth, y: outY, head });
  paper.put(`${name}.b_O`, { x: weightsX + hair, y: outY });
  paper.put(output, { x: addedX, y: outY });
  return bottom;
}

/** Which plate of a tensor stands in a head: its own; that of its group, in the first of the group; what all heads
 *  share, in the first. */
function indexIn(axis: string | null, head: number, group: number): number | null {
  if (axis === "head") return head;
  if (axis === "kv_head") return head % group === 0 ? head / group : null;
  return head === 0 ? 0 : null;
}
