/** The ten likeliest tokens: next, after a chosen position, or in place of a mask. */

import { calledAfter } from "../../characters";
import { formatNumber, formatProbability, tokenText } from "../../format";
import type { Candidate, Token } from "../../net/types";
import { hidden, marked, model, position, run, shownMask, shownPosition, shownTop } from "../../state/store";
import { TokenText } from "./token-text";
import { useFollowers } from "./use-followers";

export function Bars() {
  const now = run.value;
  const at = shownPosition.value;
  const reason = model.value?.no_head;
  const fills = model.value?.kind === "encoder";
  const last = now ? now.tokens.length - 1 : 0;
  const inside = at !== null && at < last;
  const kept = shownTop.value;
  const asked = useFollowers(!reason && !fills && inside && kept.length === 0 ? at : null);
  if (reason) return <Headless reason={reason} />;
  if (fills) return <Masked />;
  const top = kept.length > 0 ? kept : asked.top;
  const follower = inside ? now?.tokens[at + 1] : undefined;
  const before = now?.tokens.slice(0, (at ?? last) + 1);
  const choice = inside ? now?.choices.get(at + 1) : undefined;
  return (
    <section aria-label="Next token">
      <h2 class="heading">{inside ? `After position ${at}` : "Next token"}</h2>
      {top.length === 0 ? (
        <p class="soft note">{asked.problem ?? (inside ? "…" : "Comes when the text has been read.")}</p>
      ) : (
        <List top={top} chosen={follower?.id} after={before} />
      )}
      {choice && (
        <p class="mono soft note">
          “{tokenText(calledAfter(textsBefore(before), follower?.text ?? ""))}” was written: the model gave it{" "}
          {formatProbability(choice.probability)}, which temperature, top-k and top-p made{" "}
          {formatProbability(choice.sampledProbability)}
        </p>
      )}
      {inside && (
        <button
          type="button"
          class="link note"
          onClick={() => {
            position.value = null;
            marked.value = [];
          }}
        >
          Show what comes next
        </button>
      )}
      {now?.phase === "done" && at === last - 1 && choice && (
        <p class="soft note">
          The run has ended: its last token was not read, so nothing is known of what follows.
        </p>
      )}
    </section>
  );
}

/** Why nothing is named: the model is a body, whose last vectors another head reads. */
function Headless({ reason }: { reason: string }) {
  return (
    <section aria-label="Next token">
      <h3>Next token</h3>
      <p class="soft note">
        {reason[0]!.toUpperCase() + reason.slice(1)}. It names no tokens and has no logits; its attention,
        neurons and hidden states are all here.
      </p>
    </section>
  );
}

/** Shows the tokens that would stand in place of a mask; the token that is hidden there is marked. */
function Masked() {
  const mask = shownMask.value;
  const behind = mask ? hidden.value.get(mask.position) : undefined;
  return (
    <section aria-label="In place of the mask">
      <h2 class="heading">{mask ? `In place of the mask at position ${mask.position}` : "Fill in"}</h2>
      {mask ? (
        <List top={mask.top} chosen={behind?.id} />
      ) : (
        <p class="soft note">Click a token above to hide it: here comes what the model would put there.</p>
      )}
      {mask && behind && !mask.top.some(({ id }) => id === behind.id) && (
        <p class="mono soft note">What is hidden there is not among the ten likeliest.</p>
      )}
    </section>
  );
}

const FORBIDDEN = "never written, since the model's generation_config.json forbids it";

function List({
  top,
  chosen,
  after = [],
}: {
  top: readonly Candidate[];
  chosen: number | undefined;
  after?: readonly Token[] | undefined;
}) {
  const before = textsBefore(after);
  return (
    <>
      <ol class="bars mono">
        {top.map(({ id, text, logit, probability, forbidden }) => (
          <li
            key={id}
            class={[chosen === id ? "on" : "", forbidden ? "forbidden" : ""].join(" ").trim() || undefined}
            title={`id ${id} · logit ${number(logit)}${forbidden ? ` · ${FORBIDDEN}` : ""}`}
          >
            {forbidden ? (
              <s>
                <TokenText text={calledAfter(before, text)} />
              </s>
            ) : (
              <TokenText text={calledAfter(before, text)} />
            )}
            <span class="share">
              <i style={{ width: `${100 * (probability ?? 0)}%` }} />
            </span>
            <span>{formatProbability(probability ?? Number.NaN)}</span>
          </li>
        ))}
      </ol>
      {top.some(({ forbidden }) => forbidden) && (
        <p class="soft note">
          <s>Struck through</s>: {FORBIDDEN}. The share is the model's own.
        </p>
      )}
    </>
  );
}

/** Texts of the last tokens, which may have begun a character. */
const textsBefore = (tokens: readonly Token[] = []): readonly string[] =>
  tokens.slice(-3).map(({ text }) => text);

const number = (value: number | null) => (value === null ? "not a number" : formatNumber(value));
