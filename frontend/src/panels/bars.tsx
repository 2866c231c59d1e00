/** The ten likeliest next tokens, after the last position or after the chosen one. */

import { formatNumber, formatProbability } from "../format";
import { position, run, shownTop } from "../state";
import { TokenText } from "./token-text";

export function Bars() {
  const now = run.value;
  const top = shownTop.value;
  const at = position.value;
  const last = now ? now.tokens.length - 1 : 0;
  const follower = at !== null && now && at < last ? now.tokens[at + 1] : undefined;
  const choice = follower && now && at !== null ? now.choices.get(at + 1) : undefined;
  return (
    <section aria-label="Next token">
      <h3>{at !== null && at < last ? `After position ${at}` : "Next token"}</h3>
      {top.length === 0 ? (
        <p class="soft note">{emptyReason(at !== null && at < last)}</p>
      ) : (
        <ol class="bars mono">
          {top.map(({ id, text, logit, probability }) => (
            <li
              key={id}
              class={follower?.id === id ? "on" : undefined}
              title={`id ${id} · logit ${number(logit)}`}
            >
              <TokenText text={text} />
              <span class="share">
                <i style={{ width: `${100 * (probability ?? 0)}%` }} />
              </span>
              <span>{probability === null ? "not a number" : formatProbability(probability)}</span>
            </li>
          ))}
        </ol>
      )}
      {choice && (
        <p class="mono soft note">
          what was chosen: {formatProbability(choice.probability)}; as drawn:{" "}
          {formatProbability(choice.sampledProbability)}
        </p>
      )}
    </section>
  );
}

const number = (value: number | null) => (value === null ? "not a number" : formatNumber(value));

function emptyReason(inside: boolean): string {
  return inside
    ? "Kept for written tokens only. The charts show every position’s."
    : "Comes when the prompt has been read.";
}
