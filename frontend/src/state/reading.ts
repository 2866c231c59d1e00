/** What the run knows and the graph does not. */

import { computed } from "@preact/signals";
import type { Reading } from "../graph/cells";
import { readTokens } from "./run";
import { run } from "./store";

/** How many tokens there are, and which. */
export const reading = computed<Reading>(() => {
  const tokens = readTokens(run.value);
  const source = run.value?.source ?? [];
  return {
    positions: { target: tokens.length, source: source.length },
    lookup: (tensor, [at]) => {
      if (tensor === "token_types") return at === undefined ? undefined : (run.value?.kinds[at] ?? 0);
      const looked = tensor === "source_tokens" ? source : tensor === "tokens" ? tokens : [];
      return at === undefined ? undefined : looked[at]?.id;
    },
  };
});
