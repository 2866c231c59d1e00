/** The tokens read and written, as chips; choosing one chooses its position. */

import { formatProbability, tokenText } from "../format";
import type { Token } from "../net/types";
import { graph, marked, position, run } from "../state";
import type { Choice, Run } from "../state/run";
import { TokenText } from "./token-text";

export function Tokens() {
  const now = run.value;
  if (!now || now.tokens.length === 0) return <p class="soft">No tokens yet.</p>;
  const pick = (at: number) => {
    position.value = position.value === at ? null : at;
    marked.value = position.value === null ? [] : columnOf(at);
  };
  return (
    <>
      <fieldset class="chips mono" aria-label="Tokens: choose one to see its column">
        {now.tokens.map((token, at) => (
          <button
            key={at}
            type="button"
            class={chipClass(now, at)}
            aria-pressed={position.value === at}
            aria-label={`position ${at}: ${describe(token, now.choices.get(at))}`}
            title={describe(token, now.choices.get(at))}
            onClick={() => pick(at)}
          >
            <TokenText text={token.text} />
          </button>
        ))}
      </fieldset>
      <ChosenNote run={now} />
    </>
  );
}

function ChosenNote({ run: now }: { run: Run }) {
  const at = position.value;
  const token = at === null ? undefined : now.tokens[at];
  if (at === null || !token) return null;
  return (
    <p class="mono soft note">
      position {at} · {describe(token, now.choices.get(at))}
    </p>
  );
}

function chipClass(now: Run, at: number): string {
  const generated = at >= (now.promptLength ?? now.tokens.length);
  return `chip${generated ? " new" : ""}${position.value === at ? " on" : ""}`;
}

function describe(token: Token, choice: Choice | undefined): string {
  const place = `“${tokenText(token.text)}” · id ${token.id} · bytes ${token.start} to ${token.end}`;
  return choice ? `${place} · chosen at ${formatProbability(choice.probability)}` : place;
}

/** Every cell of this position, in all tensors that have a `pos` or `query_pos` axis. */
function columnOf(at: number) {
  return (graph.value?.tensors ?? [])
    .filter((tensor) => tensor.role !== "weight" && tensor.axes.some(isRead))
    .map((tensor) => ({ tensor: tensor.name, index: tensor.axes.map((axis) => (isRead(axis) ? at : null)) }));
}

const isRead = (axis: string) => axis === "pos" || axis === "query_pos";
