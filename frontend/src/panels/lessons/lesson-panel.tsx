/** The lesson that is read: its step's words, what it asks, hints on request, and the way on. */

import type { ResolvedDo } from "../../net/contract.gen";
import {
  contentsShown,
  doneSteps,
  hintsShown,
  type LessonPlace,
  lesson,
  lessonPlace,
  lessonProblem,
  lessonStep,
  nameOf,
  neighbours,
} from "../../state/lesson";
import { useActions } from "../shared/actions";
import { LessonMoment } from "./lesson-moment";
import { Check, Predict } from "./lesson-questions";
import { Words } from "./lesson-words";
import "./lessons.css";

export function LessonPanel() {
  const [place, of] = [lessonPlace.value, lesson.value];
  if (!place || !of) return null;
  const at = of.steps.findIndex(({ id }) => id === place.step);
  return (
    <section class="lesson" aria-label="Lesson">
      <Head title={of.title} at={at} count={of.steps.length} />
      <Step place={place} title={of.steps[at]?.title ?? ""} />
      <Ways place={place} />
      <LessonMoment />
    </section>
  );
}

function Head({ title, at, count }: { title: string; at: number; count: number }) {
  const { lessons } = useActions();
  return (
    <header class="lesson-head">
      <button
        type="button"
        class="link"
        onClick={() => {
          contentsShown.value = true;
        }}
      >
        {title}
      </button>
      <span class="soft">
        {at + 1} of {count}
      </span>
      <button type="button" class="pill" aria-label="Leave the lesson" onClick={() => lessons.leave()}>
        ✕
      </button>
      <progress value={at + 1} max={count} aria-label={`Step ${at + 1} of ${count}`} />
    </header>
  );
}

function Step({ place, title }: { place: LessonPlace; title: string }) {
  const [step, problem] = [lessonStep.value, lessonProblem.value];
  return (
    <div class="lesson-step" aria-live="polite">
      <h2>{title}</h2>
      {problem && (
        <p class="problem" role="alert">
          {problem.message} <span>{problem.hint}</span>
        </p>
      )}
      {!step && !problem && <p class="soft">Reading…</p>}
      {step && !step.applies && <p class="soft">{step.reason}. Go on to the next step.</p>}
      {step?.applies && (
        // What was typed into a question belongs to its step.
        <div key={nameOf(place)}>
          <Words of={step.body} />
          {step.predict && <Predict of={step.predict} place={place} />}
          {step.do && <Do of={step.do} done={doneSteps.value.has(nameOf(place))} />}
          {step.check && <Check of={step.check} place={place} />}
          <Hints />
          {step.faq.map(({ question, answer }) => (
            <details key={question}>
              <summary>{question}</summary>
              <Words of={answer} />
            </details>
          ))}
        </div>
      )}
    </div>
  );
}

function Do({ of, done }: { of: ResolvedDo; done: boolean }) {
  return (
    <section class={`lesson-question ${done ? "done" : ""}`} aria-label="To do">
      <Words of={of.words} />
      <p class="lesson-verdict" role="status">
        {done ? <b>Done.</b> : <span class="soft">Not done yet; you may also go on.</span>}
      </p>
    </section>
  );
}

/** Hints come one at a time, and only on request. */
function Hints() {
  const hints = lessonStep.value?.hints ?? [];
  const open = hintsShown.value;
  return (
    <>
      {hints.slice(0, open).map((hint, at) => (
        <div class="lesson-hint" key={at}>
          <Words of={hint} />
        </div>
      ))}
      {open < hints.length && (
        <button
          type="button"
          class="link"
          onClick={() => {
            hintsShown.value = open + 1;
          }}
        >
          {open === 0 ? "A hint" : "Another hint"}
        </button>
      )}
    </>
  );
}

function Ways({ place }: { place: LessonPlace }) {
  const { lessons } = useActions();
  const of = lesson.value;
  if (!of) return null;
  const { before, after } = neighbours(of, place.step);
  return (
    <footer class="lesson-ways">
      <button type="button" class="pill" disabled={before === null} onClick={() => lessons.back()}>
        Back
      </button>
      <button type="button" class="pill lesson-next" onClick={() => lessons.next()}>
        {after === null ? "Finish" : "Next"}
      </button>
    </footer>
  );
}
