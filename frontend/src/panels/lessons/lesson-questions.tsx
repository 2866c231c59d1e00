/** Shows the questions of a step: a guess before the number is shown, and a question whose key is the run's own. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { formatNumber, tokenText } from "../../format";
import type { Place, ResolvedCheck, ResolvedPredict } from "../../net/contract.gen";
import { type Answered, answerTo, type LessonPlace, setAnswer } from "../../state/lesson";
import { run } from "../../state/store";
import { Words } from "./lesson-words";
import { readNumber, scoreCell, scoreCheck, scoreNumber, scoreOrder, scoreToken } from "./scoring";

export function Predict({ of, place }: { of: ResolvedPredict; place: LessonPlace }) {
  const given = answerTo(place, "predict");
  const answer = (found: Answered) => setAnswer(place, "predict", found);
  return (
    <section class="lesson-question" aria-label="Your guess">
      <Words of={of.words} />
      {of.kind === "token" && (
        <Choices
          labels={of.labels.map(tokenText)}
          given={given}
          onChoose={(at) => answer(scoreToken(of, at))}
        />
      )}
      {of.kind === "cell" && (
        <Choices labels={labelsOf(of.row)} given={given} onChoose={(at) => answer(scoreCell(of, at))} />
      )}
      {of.kind === "number" && <Bar of={of} given={given} onDraw={(at) => answer(scoreNumber(of, at))} />}
      {of.kind === "order" && (
        <Order count={of.truth.length} given={given} onOrder={(order) => answer(scoreOrder(of, order))} />
      )}
      {given && <Verdict given={given}>{truthOf(of)}</Verdict>}
    </section>
  );
}

export function Check({ of, place }: { of: ResolvedCheck; place: LessonPlace }) {
  const given = answerTo(place, "check");
  const answer = (value: number) => setAnswer(place, "check", scoreCheck(of, value));
  return (
    <section class="lesson-question" aria-label="Question">
      <Words of={of.words} />
      {of.kind === "number" && <NumberBox given={given} onGive={answer} />}
      {of.kind === "true-or-false" && <Choices labels={["No", "Yes"]} given={given} onChoose={answer} />}
      {of.kind === "choice" && (
        <Choices
          labels={of.choices.map(({ spans }) => spans.map(({ text }) => text).join(""))}
          given={given}
          onChoose={answer}
        />
      )}
      {of.kind === "cell" && <Choices labels={labelsOf(of.row)} given={given} onChoose={answer} />}
      {of.kind === "token" && (
        <Choices
          labels={of.labels.map(tokenText)}
          given={given && { ...given, given: [of.offered.indexOf(given.given[0]!)] }}
          onChoose={(at) => answer(of.offered[at]!)}
        />
      )}
      {given && <Verdict given={given}>{given.right ? null : "Look again, or take a hint."}</Verdict>}
    </section>
  );
}

/** The tokens along the axis that a row runs over. */
function labelsOf(row: Place | null): readonly string[] {
  const now = run.value;
  const source = row?.tensor.includes("cross_attn") || row?.tensor.startsWith("encoder.");
  return ((source && now?.source.length ? now.source : now?.tokens) ?? []).map(({ text }) => tokenText(text));
}

function truthOf(of: ResolvedPredict): string | null {
  const [truth] = of.truth;
  if (of.kind === "token")
    return `The model holds ${tokenText(of.labels[of.offered.indexOf(truth!)] ?? "")} likeliest.`;
  if (of.kind === "cell") return `It is ${labelsOf(of.row)[truth!] ?? truth}.`;
  if (of.kind === "number") return `It is ${formatNumber(truth!)}.`;
  return `They are ${of.truth.map((value) => formatNumber(value)).join(", ")}.`;
}

function Verdict({ given, children }: { given: Answered; children: ComponentChildren }) {
  return (
    <p class={`lesson-verdict ${given.right ? "met" : "missed"}`} role="status">
      <b>{given.right ? "Yes." : "Not quite."}</b> {children}
      {given.loss !== null && (
        <span class="soft">
          {" "}
          Your guess costs {formatNumber(given.loss, 3)} nats; a sure right one costs 0.
        </span>
      )}
    </p>
  );
}

interface ChoicesProps {
  readonly labels: readonly string[];
  readonly given: Answered | null;
  readonly onChoose: (at: number) => void;
}

function Choices({ labels, given, onChoose }: ChoicesProps) {
  return (
    <div class="lesson-choices">
      {labels.map((label, at) => (
        <button
          // The same token may stand in a text twice.
          key={at}
          type="button"
          class="pill"
          aria-pressed={given?.given[0] === at}
          onClick={() => onChoose(at)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function NumberBox({ given, onGive }: { given: Answered | null; onGive: (value: number) => void }) {
  const text = useSignal(given ? `${given.given[0]}` : "");
  return (
    <form
      class="lesson-answer"
      onSubmit={(event) => {
        event.preventDefault();
        const value = readNumber(text.value);
        if (value !== null) onGive(value);
      }}
    >
      <input
        aria-label="Your answer, a number"
        inputMode="decimal"
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <button type="submit" class="pill" disabled={readNumber(text.value) === null}>
        Check
      </button>
    </form>
  );
}

/** A bar to be drawn between two bounds; the truth stands beside it once it is drawn. */
function Bar({
  of,
  given,
  onDraw,
}: {
  of: ResolvedPredict;
  given: Answered | null;
  onDraw: (at: number) => void;
}) {
  const drawn = useSignal(given?.given[0] ?? (of.low + of.high) / 2);
  return (
    <div class="lesson-answer">
      <input
        type="range"
        aria-label={`Your guess, between ${of.low} and ${of.high}`}
        min={of.low}
        max={of.high}
        step={(of.high - of.low) / 100}
        value={drawn.value}
        onInput={({ currentTarget }) => {
          drawn.value = Number(currentTarget.value);
        }}
      />
      <output>{formatNumber(drawn.value, 2)}</output>
      <button type="button" class="pill" onClick={() => onDraw(drawn.value)}>
        Show the truth
      </button>
    </div>
  );
}

/** Things to be put in order, the smallest first, by pressing them one after the other. */
function Order({
  count,
  given,
  onOrder,
}: {
  count: number;
  given: Answered | null;
  onOrder: (order: readonly number[]) => void;
}) {
  const order = useSignal<readonly number[]>(given?.given ?? []);
  return (
    <div class="lesson-choices">
      {Array.from({ length: count }, (_, at) => {
        const place = order.value.indexOf(at);
        return (
          <button
            key={at}
            type="button"
            class="pill"
            aria-pressed={place >= 0}
            onClick={() => {
              const next = place >= 0 ? order.value.slice(0, place) : [...order.value, at];
              order.value = next;
              if (next.length === count) onOrder(next);
            }}
          >
            {place >= 0 ? `${place + 1}. ` : ""}
            {`number ${at + 1}`}
          </button>
        );
      })}
    </div>
  );
}
