/** The prompt bar: what the model is to read, how many tokens that is, and what was wrong with it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, tokenize } from "../../net/rest";
import {
  draft,
  graph,
  model,
  pairDraft,
  promptProblem,
  readPair,
  readsPairs,
  readText,
  run,
  unread,
} from "../../state/store";
import { type Actions, useActions } from "../shared/actions";
import "./prompt.css";

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
        onKeyDown={(event) => readOnEnter(event, session)}
      />
      {readsPairs.value && <SecondText />}
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

function readOnEnter(event: KeyboardEvent, session: Actions["session"]): void {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  session.read(draft.value);
}

/** A second text, which a model of pairs reads together with the first; for most readings there is none. */
function SecondText() {
  const { session } = useActions();
  const box = useRef<HTMLTextAreaElement>(null);
  if (pairDraft.value === null)
    return (
      <button
        type="button"
        class="link note add-pair"
        title="Two texts are read together, with the tokenizer's marks around and between them"
        onClick={() => {
          pairDraft.value = "";
          queueMicrotask(() => box.current?.focus());
        }}
      >
        Add a second text
      </button>
    );
  return (
    <>
      <div class="row second">
        <label for="prompt-pair" class="heading">
          Second text
        </label>
        <button
          type="button"
          class="link note"
          onClick={() => {
            pairDraft.value = null;
          }}
        >
          Take away
        </button>
      </div>
      <textarea
        id="prompt-pair"
        ref={box}
        rows={2}
        spellcheck={false}
        value={pairDraft.value}
        aria-describedby="prompt-notes"
        onInput={(event) => {
          pairDraft.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => readOnEnter(event, session)}
      />
    </>
  );
}

/** The text that was read stands in the box again. */
function putBack(): void {
  draft.value = readText.value;
  pairDraft.value = readPair.value;
  promptProblem.value = null;
}

/** Counts the tokens of the draft; null while unknown. The server counts; ids count themselves. */
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
  if (!pairDraft.value) return count.value;
  // What stands between two texts is the tokenizer's to say: they are counted once they have been read.
  return unread.value ? null : (run.value?.tokens.length ?? null);
}
