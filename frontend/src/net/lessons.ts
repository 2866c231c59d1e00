/** The calls about lessons: which there are, the run that a step looks at, and a step with its live numbers. */

import type { Lessons, Plan, ResolvedStep, RunAnswer } from "./contract.gen";
import { json, post } from "./rest";

export const getLessons = (lang: string) => json<Lessons>(`/lessons?${new URLSearchParams({ lang })}`);

/** The run of a step on a model; `run` is the one without interventions, where they follow from it. */
export const getPlan = (lesson: string, asked: Readonly<Record<string, string>>) =>
  json<Plan>(`/lessons/${encodeURIComponent(lesson)}/plan?${new URLSearchParams(asked)}`);

export const getStep = (lesson: string, step: string, asked: Readonly<Record<string, string>>) =>
  json<ResolvedStep>(
    `/lessons/${encodeURIComponent(lesson)}/steps/${encodeURIComponent(step)}?${new URLSearchParams(asked)}`,
  );

/** Makes a run and waits until it is over. */
export const makeRun = (planned: Plan["run"]) => post<RunAnswer>("/runs", planned);
