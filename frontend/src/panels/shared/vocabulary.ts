/** What the vocabulary has of a search: the server cuts texts into tokens, and what it answered is remembered. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { textsToLookUp } from "../../find/query";
import { ApiError, tokenize } from "../../net/rest";
import type { Token } from "../../net/types";
import { model } from "../../state/store";

export interface Vocabulary {
  /** Texts that were asked for, and their tokens; none for a text that cannot be spelt. */
  readonly known: ReadonlyMap<string, readonly Token[]>;
  /** An answer is still out. */
  readonly pending: boolean;
}

const DELAY = 120;
const NOTHING: Vocabulary["known"] = new Map();

/** Asks for what a search may mean, once its typing rests. */
export function useVocabulary(text: string): Vocabulary {
  const known = useSignal<{ of: string; texts: Vocabulary["known"] }>({ of: "", texts: NOTHING });
  const now = model.value;
  const here = known.value.of === now?.id ? known.value.texts : NOTHING;
  const missing = now?.has_tokenizer ? textsToLookUp(text).filter((one) => !here.has(one)) : [];
  const key = missing.join("\n");
  useEffect(() => {
    if (!now || missing.length === 0) return;
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const cut = await Promise.all(missing.map((one) => tokensOf(now.id, one, abort.signal)));
        const before = known.value.of === now.id ? known.value.texts : NOTHING;
        const found = missing.map((one, at) => [one, cut[at]!] as const);
        known.value = { of: now.id, texts: new Map([...before, ...found]) };
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
      }
    }, DELAY);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [now?.id, key]);
  return { known: here, pending: missing.length > 0 };
}

/** Without the tokens that begin and end every text. */
async function tokensOf(id: string, text: string, signal: AbortSignal): Promise<readonly Token[]> {
  try {
    return (await tokenize(id, text, signal)).filter(({ start, end }) => end > start);
  } catch (error) {
    // Text that this vocabulary cannot spell, or a server that is away: then it has nothing to show of it.
    if (error instanceof ApiError) return [];
    throw error;
  }
}
