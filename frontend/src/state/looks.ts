/** Which head does something in this text: the one whose look is the farthest above what its key usually gets
 *  (app/lenses/looks.py). */

import type { LensBoard } from "../net/lenses";

/** One head's look: from a query to a key, and the share that it gives it. */
export interface Look {
  readonly layer: number;
  readonly head: number;
  readonly query: number;
  readonly key: number;
  readonly share: number;
}

type Board = Pick<LensBoard, "layers" | "looks">;

/** The look of the head in which it stands out most; null where no query has anything to look at. */
export function liveliest(board: Board): Look | null {
  const { looks } = board;
  if (!looks) return null;
  let best: readonly [row: number, head: number] | null = null;
  looks.above.forEach((heads, row) => {
    heads.forEach((above, head) => {
      if (!best || above > looks.above[best[0]]![best[1]]!) best = [row, head];
    });
  });
  return best && lookOf(board, board.layers[best[0]]!, best[1]);
}

/** What one head looks at. */
export function lookOf({ layers, looks }: Board, layer: number, head: number): Look | null {
  const row = layers.indexOf(layer);
  const key = looks?.keys[row]?.[head];
  const share = looks?.shares[row]?.[head];
  return looks && key !== undefined && share !== undefined
    ? { layer, head, query: looks.query, key, share }
    : null;
}
