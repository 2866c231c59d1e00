/** What the guide's buttons do that needs the server: finding a head that does something, and a lens that tells where
 *  the guess comes from. Each says what is wrong where it cannot. */

import { attentionParts } from "../../graph/attentions";
import type { Graph } from "../../graph/types";
import { getLens, getLenses, type LensBoard } from "../../net/lenses";
import { openLenses, withLens } from "../../state/lenses";
import { liveliest } from "../../state/looks";
import type { Run } from "../../state/run";
import { phoneView, toggleSide } from "../../state/shell";
import { attention, type Problem, panel } from "../../state/store";
import { type Actions, choose } from "../shared/actions";

/** Flies to the look that stands out most in this text, with its head beside the map. */
export async function showLook(map: Actions["map"], graph: Graph, run: Run): Promise<Problem | null> {
  const parts = attentionParts(graph);
  // While an answer has only its beginning, the source has more to look at.
  const part = parts.has("encoder") && run.tokens.length < 2 ? "encoder" : [...parts.keys()].at(-1);
  const modules = (part && parts.get(part)) || [];
  const board = part && (await getLens<LensBoard>(run.id!, "attention_board", { part }));
  const look = board ? liveliest(board) : null;
  if (!look || !part)
    return { message: "No word here has another to look at.", hint: "Read a text of more words." };
  const { layer, head, query, key } = look;
  const cell = { tensor: `${modules[layer]}.hook_pattern`, index: [head, query, key] };
  attention.value = { part, layer, head, stage: "hook_pattern", view: "matrix", detail: "" };
  panel.value = "attention";
  choose(map, cell);
  map?.flyTo({ plateOf: cell });
  // A phone reads flat views first.
  phoneView.value = "reading";
  return null;
}

/** The lenses that say where a guess comes from, the plainest first. */
const GUESSES = ["contributions", "logit_lens", "next_token", "distributions"] as const;

/** Opens the first of them that applies to this model. */
export async function showGuess(run: Run): Promise<Problem | null> {
  const lenses = await getLenses(run.id!);
  const lens = GUESSES.find((name) => lenses.some((one) => one.name === name && one.applies));
  if (!lens) return { message: "No lens tells that of this model.", hint: "The list under Lenses says why." };
  openLenses.value = withLens(openLenses.value, lens);
  panel.value = "lenses";
  return null;
}

export function changeText(): void {
  toggleSide("left", true);
  phoneView.value = "text";
  // The box may have been away until now.
  requestAnimationFrame(focusPrompt);
}

function focusPrompt(): void {
  const box = document.querySelector<HTMLTextAreaElement>("#prompt");
  box?.focus();
  box?.select();
}
