/** Finds the tokens that may follow one of the prompt: the stream tells it of the last token and of those that were written, the
 *  lens *Likeliest tokens* of every other, from the logits that the server keeps. */

import { getJson, lensAddress } from "../../net/rest";
import type { Candidate } from "../../net/types";
import { hasRead } from "../../state/run";
import { run } from "../../state/store";
import { useFlow } from "../shared/use-latest";

interface Followers {
  readonly top: readonly Candidate[];
  readonly problem: string | null;
}

/** The likeliest tokens after a position; empty while they are on their way, and where `position` is null. */
export function useFollowers(position: number | null): Followers {
  const now = run.value;
  const ready = now?.id && position !== null && hasRead(now);
  const address = ready ? lensAddress(now.id ?? "", "next_token", { pos: `${position}` }) : null;
  const { value, place, problem } = useFlow(address, "", (signal) =>
    getJson<{ readonly candidates: readonly Candidate[] }>(address ?? "", signal),
  );
  if (address === null || (place !== address && !problem)) return { top: [], problem: null };
  if (problem) return { top: [], problem: `${problem.message} ${problem.hint}` };
  return { top: value?.candidates ?? [], problem: null };
}
