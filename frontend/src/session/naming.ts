/** What the map says of the model and the run: its title, and what the model says comes next. */

import { effect } from "@preact/signals";
import { formatCount, formatProbability, tokenText } from "../format";
import { cellCount } from "../graph/shape";
import type { Graph } from "../graph/types";
import type { WordsPort } from "../scene/ports";
import type { MapTitle } from "../scene/types";
import { graph, model, position, run, shownMask } from "../state/store";
import { textScale } from "../state/text-scale";

export function nameMap(map: WordsPort): void {
  effect(() => {
    const [now, of] = [model.value, graph.value];
    map.setTitle(now && of ? titleOf(now, of) : null);
  });
  effect(() => map.setGuess(guessOf()));
  effect(() => map.setTextScale(textScale.value));
}

/** Numbers that were learned, each counted once; all of them are on the map, which refuses a tensor that it has no
 *  place for. */
export function learnedNumbers({ tensors }: Graph): number {
  return tensors
    .filter(({ role, learned, same_as }) => role === "weight" && learned && same_as === null)
    .reduce((sum, { shape }) => sum + cellCount(shape), 0);
}

export function titleOf(
  { title, description }: { readonly title: string; readonly description: string },
  of: Graph,
): MapTitle {
  const count = formatCount(learnedNumbers(of));
  return {
    name: title,
    about: description,
    numbers: [
      `${count} numbers learned, all of them here: each square is one.`,
      `${count} numbers, all here: each square is one.`,
      `${count} numbers`,
    ],
  };
}

/** The likeliest next token after all that was read, or at the first mask. */
function guessOf(): string | null {
  const now = run.value;
  if (!now || position.value !== null) return null;
  const top = model.value?.kind === "encoder" ? shownMask.value?.top[0] : now.top[0];
  if (!top || top.probability === null) return null;
  const word = model.value?.kind === "encoder" ? "hidden word" : "next";
  return `${word}: “${top.text.trim() || tokenText(top.text)}” ${formatProbability(top.probability)}`;
}
