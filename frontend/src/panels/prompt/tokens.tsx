/** The tokens read and written, as chips. Choosing one chooses its position; in a model that fills in, it hides the
 *  token behind the mask, or shows it again. */

import { Fragment } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Called, calledTokens } from "../../characters";
import { formatNumber, formatProbability, tokenText } from "../../format";
import type { Token } from "../../net/types";
import { lessonPlace } from "../../state/lesson";
import { type Choice, type Run, written } from "../../state/run";
import { hidden, marked, model, position, readPair, readText, run, runNote } from "../../state/store";
import { useActions } from "../shared/actions";
import { columnOf } from "../shared/column-of";
import { useRoving } from "../shared/use-roving";
import { readAs } from "./read-as";
import { TokenText } from "./token-text";

export function Tokens() {
  const now = run.value;
  if (!now || now.tokens.length === 0) return <p class="soft">No tokens yet.</p>;
  const paired = now.source.length > 0;
  const [first] = now.tokens;
  const begins = first && first.end === first.start ? first.text : null;
  return (
    <>
      <Notes run={now} />
      {paired && <h2 class="heading">Source</h2>}
      {paired && <Source tokens={now.source} />}
      {paired && <ReadAsNote run={now} />}
      {paired && <h2 class="heading">Written</h2>}
      <Chips run={now} />
      {paired && begins && (
        <p class="soft note">
          <span class="mono">{tokenText(begins)}</span> is the sign that this model begins every answer with.
        </p>
      )}
      {!paired && <ReadAsNote run={now} />}
      <ChosenNote run={now} />
    </>
  );
}

/** Bounds how many words that are read as others are named. */
const MOST_NAMED = 4;

/** Names the words of the text that the tokenizer reads as others. */
function ReadAsNote({ run: now }: { run: Run }) {
  const own = now.source.length > 0 ? now.source : now.tokens.slice(0, now.promptLength ?? 0);
  const read = own.map((token, at) => (now.source.length > 0 ? token : (hidden.value.get(at) ?? token)));
  const told = readPair.value === null && !now.held ? readAs(readText.value, read) : [];
  const named = [...new Map(told.map((one) => [one.word, one])).values()];
  if (named.length === 0) return null;
  return (
    <p class="soft note">
      {named.slice(0, MOST_NAMED).map(({ word, reads }, at) => (
        <Fragment key={word}>
          {at > 0 && ", "}“{word}” is read as “{reads}”
        </Fragment>
      ))}
      {named.length > MOST_NAMED ? `, and ${named.length - MOST_NAMED} words more as others.` : "."}
    </p>
  );
}

/** Says how the run came to be, where it was not read here. */
function Notes({ run: now }: { run: Run }) {
  const changes = now.interventions.map(({ name, index, action, value }) => {
    const cells = index === "" ? name : `${name}[${index}]`;
    return `${cells} ${CHANGED[action]} ${formatNumber(value)}`;
  });
  return (
    <>
      {runNote.value && (
        <p class="soft note" role="status">
          {runNote.value}{" "}
          <button
            type="button"
            class="link"
            onClick={() => {
              runNote.value = null;
            }}
          >
            Dismiss
          </button>
        </p>
      )}
      {now.held && (lessonPlace.value === null || changes.length > 0) && (
        <p class="soft note">
          The run <span class="mono">{now.id}</span>, made through the API
          {changes.length > 0 ? ", with these numbers changed while the model ran: " : "."}
          {changes.length > 0 && <span class="mono">{changes.join("; ")}</span>}
          {changes.length > 0 && ". What is written on is written by the model as it is."}
        </p>
      )}
    </>
  );
}

const CHANGED = { set: "set to", scale: "times", add: "plus" } as const;

function Chips({ run: now }: { run: Run }) {
  const { session } = useActions();
  const fills = model.value !== null && model.value.mask_id !== null;
  const pick = (at: number) => {
    const token = now.tokens[at];
    if (fills && token && canToggle(token, at)) return session.toggleMask(at);
    position.value = position.value === at ? null : at;
    marked.value = position.value === null ? [] : columnOf(at, false);
  };
  const roving = useRoving(now.tokens.length);
  const tokens = calledTokens(now.tokens);
  const label = fills ? "Tokens: choose one to hide it" : "Tokens: choose one to see its column";
  const box = useRef<HTMLFieldSetElement>(null);
  const length = now.tokens.length;
  // What was just written stands at the end, where a long prompt would hide it.
  useLayoutEffect(() => {
    if (written(now) > 0 && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [length]);
  return (
    <fieldset class="chips mono" aria-label={label} ref={box} onKeyDown={roving.press}>
      {tokens.map((token, at) => (
        <button
          key={at}
          type="button"
          class={chipClass(now, at)}
          tabIndex={roving.tabIndex(at)}
          onFocus={() => roving.come(at)}
          aria-pressed={fills ? hidden.value.has(at) : position.value === at}
          aria-label={`position ${at}: ${describe(token, now.choices.get(at), hidden.value.get(at))}`}
          title={describe(token, now.choices.get(at), hidden.value.get(at))}
          onClick={() => pick(at)}
        >
          <TokenText text={token.text} />
        </button>
      ))}
    </fieldset>
  );
}

/** Tells whether a token stands hidden, or for some of the text: not for its beginning, its end, or a mask typed by hand. */
const canToggle = ({ id, start, end }: Token, at: number): boolean =>
  hidden.value.has(at) || (end > start && id !== model.value?.mask_id);

function Source({ tokens: read }: { tokens: readonly Token[] }) {
  const tokens = calledTokens(read);
  const roving = useRoving(tokens.length);
  return (
    <fieldset
      class="chips mono"
      aria-label="Source tokens: choose one to see its column"
      onKeyDown={roving.press}
    >
      {tokens.map((token, at) => (
        <button
          key={at}
          type="button"
          class="chip"
          tabIndex={roving.tabIndex(at)}
          onFocus={() => roving.come(at)}
          aria-label={`source position ${at}: ${describe(token)}`}
          title={describe(token)}
          onClick={() => {
            marked.value = columnOf(at, true);
          }}
        >
          <TokenText text={token.text} />
        </button>
      ))}
    </fieldset>
  );
}

function ChosenNote({ run: now }: { run: Run }) {
  const at = position.value;
  const token = at === null ? undefined : calledTokens(now.tokens)[at];
  if (at === null || !token) return null;
  return (
    <p class="mono soft note">
      position {at} · {describe(token, now.choices.get(at), hidden.value.get(at))}
    </p>
  );
}

function chipClass(now: Run, at: number): string {
  const generated = at >= (now.promptLength ?? now.tokens.length);
  return `chip${generated ? " new" : ""}${position.value === at || hidden.value.has(at) ? " on" : ""}`;
}

function describe(token: Called<Token>, choice?: Choice, behind?: Token): string {
  const place = `“${tokenText(token.text)}” · id ${token.id} · bytes ${token.start} to ${token.end}`;
  if (behind) return `“${tokenText(behind.text)}” hidden behind “${tokenText(token.text)}”`;
  return choice ? `${place} · chosen at ${formatProbability(choice.probability)}` : place;
}
