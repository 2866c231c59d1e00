/** The prompt bar: what the model is to read, how many tokens that is, and what was wrong with it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, tokenize } from "../net/rest";
import { draft, graph, model, promptProblem, readText, unread } from "../state";
import { useActions } from "./actions";

const COUNT_DELAY = 150;

export function Prompt() {
  const { session } = useActions();
  const count = useTokenCount();
  const now = model.value;
  const problem = promptProblem.value;
  const most = now ? now.source_positions || now.positions : 0;
  const tooLong = count !== null && count > most;
  const readsOnly = now?.kind === "encoder" || Boolean(now?.no_head);
  return (
    <form
      class={unread.value ? "prompt unread" : "prompt"}
      onSubmit={(event) => {
        event.preventDefault();
        session.read(draft.value);
      }}
    >
      <label for="prompt" class="heading">
        {now && !now.has_tokenizer ? "Token ids" : "Text"}
      </label>
      <textarea
        id="prompt"
        rows={2}
        spellcheck={false}
        value={draft.value}
        aria-invalid={problem !== null || tooLong}
        aria-describedby="prompt-notes"
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          session.read(draft.value);
        }}
      />
      <div id="prompt-notes" class="row mono soft">
        <span class={tooLong ? "wrong" : undefined}>
          {count === null || !now ? "…" : `${count} of ${most} tokens`}
        </span>
        {unread.value && (
          <button type="button" class="link" onClick={putBack}>
            Put back
          </button>
        )}
        {readsOnly && (
          <button type="submit" class="pill strong">
            Read
          </button>
        )}
      </div>
      {unread.value && (
        <p class="soft note" role="status">
          Not read yet: everything below and on the map is of the text before. Enter reads this one
          {readsOnly ? "." : "; Write reads it and writes on."}
        </p>
      )}
      {now && !now.has_tokenizer && (
        <p class="soft note">Whole numbers with spaces between them: {now.no_tokenizer}.</p>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem.message} <span>{problem.hint}</span>
        </p>
      )}
    </form>
  );
}

/** The text that was read stands in the box again. */
function putBack(): void {
  draft.value = readText.value;
  promptProblem.value = null;
}

/** How many tokens the draft is; null while unknown. The server counts; ids count themselves. */
function useTokenCount(): number | null {
  const count = useSignal<number | null>(null);
  const now = model.value;
  const text = draft.value;
  // Another model is chosen before its text stands in the box: what is there is not for it to read.
  const here = graph.value !== null;
  useEffect(() => {
    if (!now || !here) return;
    if (!now.has_tokenizer) {
      count.value = text.split(/[\s,]+/).filter(Boolean).length;
      return;
    }
    const abort = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        count.value = text === "" ? 0 : (await tokenize(now.id, text, abort.signal)).length;
      } catch (error) {
        // The refusal comes again, with its reason, when the text is read; until then the count is unknown.
        if (error instanceof ApiError) count.value = null;
        else if (!(error instanceof DOMException)) throw error;
      }
    }, COUNT_DELAY);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [now, here, text, count]);
  return count.value;
}
