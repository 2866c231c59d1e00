/** Comparing with another text: what to take away, how its tokens are paired, and the note on the map that says so. */

import { useSignal } from "@preact/signals";
import { compareWith, stopComparing } from "../../session/comparing";
import { readable, unreadable } from "../../session/plan";
import {
  comparing,
  comparison,
  comparisonProblem,
  earlier,
  pairedTokens,
  pairing,
  wordsOf,
} from "../../state/difference";
import { readTokens } from "../../state/run";
import { model, modelId, run } from "../../state/store";
import "./compare.css";

const LONGEST = 34;

/** As `POST /runs` gives them; twelve digits alone are a token's id. */
const RUN_ID = /^(?=.*[a-f])[0-9a-f]{12}$/;

const short = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

export function Compare() {
  const writing = useSignal(false);
  if (!model.value || !run.value) return null;
  const other = comparison.value;
  const list = earlier.value.filter((one) => one.model === modelId.value && one.run !== run.value?.id);
  const choose = (value: string) => {
    writing.value = value === "text";
    const chosen = list[Number(value)];
    if (value === "") stopComparing();
    else if (chosen) void compareWith({ earlier: chosen });
  };
  const at = list.findIndex((one) => one.run === other?.run);
  return (
    <section class="compare" aria-label="Difference">
      <h2 class="heading">Difference</h2>
      <select
        class="mono"
        aria-label="Compare with"
        disabled={comparing.value}
        value={writing.value ? "text" : other ? (at >= 0 ? `${at}` : "other") : ""}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">{other ? "off: this text alone" : "compare with…"}</option>
        {other && at < 0 && <option value="other">{short(wordsOf(other))}</option>}
        {list.map((one, i) => (
          <option key={one.run} value={`${i}`}>
            {short(wordsOf(one))}
          </option>
        ))}
        <option value="text">a second text, or a run…</option>
      </select>
      {writing.value && (
        <SecondText
          done={() => {
            writing.value = false;
          }}
        />
      )}
      {comparing.value && <p class="soft note">The model reads the other text.</p>}
      {comparisonProblem.value && (
        <p class="problem" role="alert">
          {comparisonProblem.value.message} <span>{comparisonProblem.value.hint}</span>
        </p>
      )}
      {other && <PairWords />}
    </section>
  );
}

/** A text, or token ids for a model without a tokenizer, to be read and compared with. */
function SecondText({ done }: { done: () => void }) {
  const text = useSignal("");
  const ids = model.value?.has_tokenizer === false;
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const now = model.value;
        if (text.value === "" || !now) return;
        const id = RUN_ID.exec(text.value.trim())?.[0];
        if (id) {
          void compareWith({ run: id });
          done();
          return;
        }
        const asked = readable(now, text.value);
        if (!asked) {
          comparisonProblem.value = unreadable(now);
          return;
        }
        void compareWith(asked);
        done();
      }}
    >
      <input
        aria-label={ids ? "Token ids to compare with" : "Text to compare with"}
        placeholder={ids ? "token ids, or a run's id" : "a text, or a run's id"}
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <button type="submit" class="pill">
        Compare
      </button>
    </form>
  );
}

/** Says how many tokens are compared with what. */
function PairWords() {
  const other = comparison.value;
  const now = run.value;
  const pairs = pairing.value;
  if (!other || !now || !pairs || pairs.run !== now.id) return null;
  const ofSource = now.source.length > 0;
  const { same, replaced, alone } = ofSource
    ? pairedTokens(now.source, other.source, pairs.source_pairs)
    : pairedTokens(readTokens(now), other.tokens, pairs.pairs);
  const parts = [
    plural(same, "token is the same", "tokens are the same"),
    replaced > 0 ? plural(replaced, "is compared with another", "are compared with others") : "",
    alone > 0 ? plural(alone, "has no partner and is left grey", "have no partner and are left grey") : "",
  ];
  return (
    <p class="soft note" role="status">
      Every activation less the other text's. {ofSource ? "Of the source, " : ""}
      {parts.filter(Boolean).join(", ")}; they are paired so that the fewest differ. What is written is paired
      in order. Weights are the same in both; the panels beside the map tell of this text alone.
    </p>
  );
}

/** On the map, for as long as it shows differences. */
export function DifferenceNote() {
  const other = comparison.value;
  if (!other) return null;
  return (
    <p class="difference-note">
      <span>Difference: this text − “{short(wordsOf(other))}”</span>
      <button type="button" class="pill" onClick={stopComparing}>
        Off
      </button>
    </p>
  );
}
