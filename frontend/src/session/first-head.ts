/** Attention opens on a head that does something in this text, not on the first of the first block, where every token
 *  often looks at the same one. What an address or the reader chose stays. */

import { effect } from "@preact/signals";
import { getLens, type LensBoard } from "../net/lenses";
import { ApiError } from "../net/rest";
import { FIRST_ATTENTION } from "../state/attention";
import { liveliest } from "../state/looks";
import { rests } from "../state/run";
import { attention, panel, run } from "../state/store";

/** From now on: whenever attention is shown and nobody has said which. */
export function openOnLively(): void {
  let asked = "";
  effect(() => {
    const now = run.value;
    if (panel.value !== "attention" || attention.value !== FIRST_ATTENTION || !now?.id || !rests(now)) return;
    if (asked === now.id) return;
    asked = now.id;
    void chooseLively(now.id, null, () => attention.peek() === FIRST_ATTENTION);
  });
}

/** Chooses the liveliest head of an attention of a run, if it is still wanted when it is known. */
export async function chooseLively(id: string, part: string | null, wanted: () => boolean): Promise<void> {
  try {
    const board = await getLens<LensBoard>(id, "attention_board", part === null ? {} : { part });
    const look = liveliest(board);
    if (!look || !wanted() || run.peek()?.id !== id) return;
    attention.value = { ...attention.peek(), layer: look.layer, head: look.head };
  } catch (error) {
    // The panel's own calls say what is wrong; it stays where it is.
    if (!(error instanceof ApiError)) throw error;
  }
}
