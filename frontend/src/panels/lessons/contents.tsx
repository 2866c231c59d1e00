/** The list of lessons: course by course, each with its steps, how long it takes, and what has been done. */

import { useEffect, useRef } from "preact/hooks";
import type { LessonInfo } from "../../net/contract.gen";
import { contentsShown, doneSteps, lessons as known, lessonPlace, lessonProblem } from "../../state/lesson";
import { useActions } from "../shared/actions";
import { Words } from "./lesson-words";

export function Contents() {
  const { lessons } = useActions();
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = contentsShown.value;
  useEffect(() => {
    if (shown) {
      void lessons.load();
      dialog.current?.showModal();
    } else dialog.current?.close();
  }, [shown]);
  const close = () => {
    contentsShown.value = false;
  };
  return (
    <dialog ref={dialog} class="lesson-list" aria-label="Lessons" onClose={close}>
      {shown && (
        <>
          <header class="lesson-head">
            <h2>Lessons</h2>
            <button type="button" class="pill" aria-label="Close" onClick={close}>
              ✕
            </button>
          </header>
          {lessonProblem.value && <p class="problem">{lessonProblem.value.message}</p>}
          {known.value.map((one) => (
            <Entry key={one.id} of={one} />
          ))}
        </>
      )}
    </dialog>
  );
}

function Entry({ of }: { of: LessonInfo }) {
  const { lessons } = useActions();
  const here = lessonPlace.value?.lesson === of.id ? lessonPlace.value.step : null;
  const done = of.steps.filter(({ id }) => doneSteps.value.has(`${of.id}/${id}`)).length;
  const next = of.steps.find(({ id }) => !doneSteps.value.has(`${of.id}/${id}`)) ?? of.steps[0]!;
  return (
    <section class="lesson-entry" aria-label={of.title}>
      <h3>{of.title}</h3>
      <Words of={of.lead} />
      <p class="soft">
        {of.steps.length} steps, about {Math.round(of.minutes)} minutes, on {of.model}
        {done > 0 ? `; ${done} done` : ""}
      </p>
      <button type="button" class="pill lesson-next" onClick={() => void lessons.open(of.id, next.id)}>
        {done > 0 && done < of.steps.length ? "Go on" : "Begin"}
      </button>
      <details>
        <summary>Steps</summary>
        <ol>
          {of.steps.map(({ id, title }) => (
            <li key={id}>
              <button
                type="button"
                class="link"
                aria-current={id === here ? "step" : undefined}
                onClick={() => void lessons.open(of.id, id)}
              >
                {title}
              </button>
              {doneSteps.value.has(`${of.id}/${id}`) && <span class="soft"> done</span>}
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}
