/** The lesson that is read: where it stands, what the step resolved to, what has been answered, and which steps are
 *  done. What is shown of it follows from here (panels/lessons/); session/lesson-guide.ts fills it. */

import { computed, signal } from "@preact/signals";
import type { LessonInfo, ResolvedStep } from "../net/contract.gen";
import { codec } from "./codec";
import type { Problem } from "./store";

export interface LessonPlace {
  readonly lesson: string;
  readonly step: string;
}

/** What a reader answered, and whether the run says the same. */
export interface Answered {
  readonly right: boolean;
  /** Log loss of a guess among tokens, in nats; null where there is none. */
  readonly loss: number | null;
  /** What was chosen, drawn or typed: an index, a number, or an order. */
  readonly given: readonly number[];
}

export const lessons = signal<readonly LessonInfo[]>([]);
/** Null while no lesson is read. */
export const lessonPlace = signal<LessonPlace | null>(null);
/** Whether the list of lessons is open. */
export const contentsShown = signal(false);
export const lesson = computed(
  () => lessons.value.find(({ id }) => id === lessonPlace.value?.lesson) ?? null,
);
/** The step as it is for the run on show; null while it is on its way. */
export const lessonStep = signal<ResolvedStep | null>(null);
export const lessonProblem = signal<Problem | null>(null);
/** Answers by `lesson/step/part`. */
export const answered = signal<ReadonlyMap<string, Answered>>(new Map());
/** Steps that have been done, as `lesson/step`. */
export const doneSteps = signal<ReadonlySet<string>>(new Set());
/** How many hints of the step are open. */
export const hintsShown = signal(0);

export const nameOf = ({ lesson, step }: LessonPlace): string => `${lesson}/${step}`;

export function markDone(place: LessonPlace): void {
  if (!doneSteps.value.has(nameOf(place))) doneSteps.value = new Set([...doneSteps.value, nameOf(place)]);
}

export function setAnswer(place: LessonPlace, part: "predict" | "check", given: Answered): void {
  answered.value = new Map([...answered.value, [`${nameOf(place)}/${part}`, given]]);
}

export const answerTo = (place: LessonPlace, part: "predict" | "check"): Answered | null =>
  answered.value.get(`${nameOf(place)}/${part}`) ?? null;

/** The steps before and after one. */
export function neighbours(of: LessonInfo, step: string): { before: string | null; after: string | null } {
  const at = of.steps.findIndex(({ id }) => id === step);
  return { before: of.steps[at - 1]?.id ?? null, after: of.steps[at + 1]?.id ?? null };
}

/** `?lesson=first-steps&step=tokens`. The pass has its place in `step` too: where a lesson is read, the lesson says
 *  what is played. */
export const lessonCodec = codec({
  key: "lesson",
  where: "query",
  read: (from): string | undefined => {
    const id = from.get("lesson");
    return id === null ? undefined : `${id}/${from.get("step") ?? ""}`;
  },
  write: (place, into) => {
    const [id, step] = place.split("/");
    into.set("lesson", id ?? "");
    into.set("step", step ?? "");
  },
  signal: computed(() => (lessonPlace.value ? nameOf(lessonPlace.value) : undefined)),
  history: "replace",
});

export function placeIn(address: string): LessonPlace {
  const [id = "", step = ""] = address.split("/");
  return { lesson: id, step };
}
