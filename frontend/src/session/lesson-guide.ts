/** Reads a lesson with the page: makes the run that a step looks at, asks for its live numbers, shows what it shows,
 *  and notices when the reader has done what it asks. Where a step looks at the same run as the one before it, the run
 *  on show is kept, so that a reader's own text stays. */

import { effect, untracked } from "@preact/signals";
import { findTensor } from "../graph/shape";
import type { Place, Plan, ResolvedDo, ResolvedSee } from "../net/contract.gen";
import { getLessons, getPlan, getStep, makeRun } from "../net/lessons";
import { ApiError } from "../net/rest";
import type { CameraPort, FlightPort, PickPort, PlacesPort, PosePort } from "../scene/ports";
import { openLenses, withLens } from "../state/lenses";
import * as lessons from "../state/lesson";
import { hasRead, rests } from "../state/run";
import { phoneView, toggleSide } from "../state/shell";
import * as state from "../state/store";
import type { Session } from "./session";

const LANGUAGE = document.documentElement.lang || "en";

/** What of the map a lesson moves. */
type LessonMap = CameraPort & FlightPort & PickPort & PlacesPort & PosePort;

/** Names the cells of a position. */
type ColumnOf = (at: number) => typeof state.marked.value;

export class LessonGuide {
  /** The run that the last step asked for. */
  #asked = "";
  /** Counts steps gone to: what comes back for an older one is dropped. */
  #turn = 0;
  /** The run that the step on show was resolved for, and what was read and written when it began. */
  #resolvedFor = "";
  #began = { tokens: 0, text: "" };
  /** The step whose answer has been shown. */
  #revealed = "";

  constructor(
    private readonly session: Session,
    private readonly map: LessonMap | null,
    private readonly columnOf: ColumnOf,
  ) {
    effect(() => this.#follow());
    effect(() => this.#notice());
    effect(() => this.#afterGuess());
  }

  /** Fetches the list of lessons once. */
  async load(): Promise<void> {
    if (lessons.lessons.value.length > 0) return;
    lessons.lessons.value = (await getLessons(LANGUAGE)).lessons;
  }

  /** Opens a lesson at a step, or at its first. */
  async open(lesson: string, step = ""): Promise<void> {
    await attempt(async () => {
      await this.load();
      const found = lessons.lessons.value.find(({ id }) => id === lesson);
      if (!found)
        throw new ApiError("unknown_lesson", `There is no lesson “${lesson}” here.`, "Choose another.", 404);
      const first = found.steps.find(({ id }) => id === step) ?? found.steps[0]!;
      this.#asked = "";
      lessons.contentsShown.value = false;
      toggleSide("left", true);
      await this.go(first.id, lesson);
    });
  }

  /** Goes to a step of the lesson that is read. */
  async go(step: string, lesson = lessons.lessonPlace.value?.lesson): Promise<void> {
    if (lesson === undefined) return;
    const turn = ++this.#turn;
    lessons.lessonPlace.value = { lesson, step };
    lessons.lessonStep.value = null;
    lessons.lessonProblem.value = null;
    lessons.hintsShown.value = 0;
    this.#resolvedFor = "";
    this.#revealed = "";
    await attempt(async () => {
      await this.#prepare(lesson, step, turn);
      if (turn === this.#turn) await this.#resolve(turn, true);
    });
  }

  /** Goes on to the next step, or ends the lesson after its last. */
  next(): void {
    const [place, of] = [lessons.lessonPlace.value, lessons.lesson.value];
    if (!place || !of) return;
    const { after } = lessons.neighbours(of, place.step);
    if (after) void this.go(after);
    else {
      lessons.markDone(place);
      this.leave();
      lessons.contentsShown.value = true;
    }
  }

  back(): void {
    const [place, of] = [lessons.lessonPlace.value, lessons.lesson.value];
    const before = place && of ? lessons.neighbours(of, place.step).before : null;
    if (before) void this.go(before);
  }

  leave(): void {
    this.#turn++;
    this.#asked = "";
    lessons.lessonPlace.value = null;
    lessons.lessonStep.value = null;
    lessons.lessonProblem.value = null;
    this.map?.pose(new Map());
  }

  /** Has the run of a step on show. */
  async #prepare(lesson: string, step: string, turn: number): Promise<void> {
    const plan = await getPlan(lesson, { step });
    const asked = JSON.stringify(plan);
    if (asked === this.#asked && state.run.value?.id) return;
    if (!plan.undecided && isShown(plan)) {
      this.#asked = asked;
      return;
    }
    let held = await makeRun(plan.run);
    if (plan.undecided) held = await makeRun((await getPlan(lesson, { step, run: held.id })).run);
    if (turn !== this.#turn) return;
    await this.session.open(held.model, { held });
    this.#asked = asked;
  }

  /** Asks for the step's words and view, for the run on show. */
  async #resolve(turn: number, shows: boolean): Promise<void> {
    const place = lessons.lessonPlace.value;
    const run = await readRun();
    if (!place || turn !== this.#turn) return;
    const at = state.position.peek();
    const asked = { run, lang: LANGUAGE, ...(at === null ? {} : { chosen: `${at}` }) };
    const step = await getStep(place.lesson, place.step, asked);
    if (turn !== this.#turn) return;
    this.#resolvedFor = keyOf(run, state.run.value?.tokens.length ?? 0);
    if (shows) {
      this.#began = { tokens: state.run.value?.tokens.length ?? 0, text: state.readText.value };
      if (step.see)
        await this.#show(step.see, turn, step.predict !== null && !lessons.answerTo(place, "predict"));
      if (turn !== this.#turn) return;
      if (!step.do) lessons.markDone(place);
      // On a phone the words lead; the map is one tap away.
      phoneView.value = "text";
    }
    lessons.lessonStep.value = step;
  }

  /** The reader wrote on, or read another text: the numbers follow. */
  #follow(): void {
    const now = state.run.value;
    if (!lessons.lessonPlace.value || !now?.id || !rests(now) || !hasRead(now)) return;
    if (this.#resolvedFor === "" || this.#resolvedFor === keyOf(now.id, now.tokens.length)) return;
    const turn = this.#turn;
    untracked(() => void attempt(() => this.#resolve(turn, false)));
  }

  /** Puts the page into the state that a step shows; what would give away the answer to a guess is kept back. */
  async #show(see: ResolvedSee, turn: number, keepsBack: boolean): Promise<void> {
    if (see.heads && see.heads !== state.heads.value) {
      state.heads.value = see.heads;
      this.session.rearrange();
    }
    await layoutIsThere();
    if (turn !== this.#turn) return;
    if (see.column !== null) {
      state.position.value = see.column;
      state.marked.value = this.columnOf(see.column);
    } else state.marked.value = [];
    if (see.only !== null) this.#dim(see.only);
    if (see.home) this.map?.fit(true);
    else if (see.camera) this.#fly(see.camera, see.select);
    if (keepsBack) {
      state.selected.value = null;
      this.map?.select(null);
      if (state.panel.value !== "inspector") state.panel.value = "inspector";
    } else this.#reveal(see);
  }

  /** Chooses the cell and opens the panel that a step speaks of. */
  #reveal(see: ResolvedSee): void {
    const cell = see.select && cellOf(see.select);
    state.selected.value = cell;
    this.map?.select(cell);
    if (see.panel) state.panel.value = see.panel;
    if (see.lens) {
      openLenses.value = withLens(openLenses.value, see.lens.name, see.lens.parameters);
      state.panel.value = "lenses";
    }
  }

  /** A guess has been made: what was kept back is shown. */
  #afterGuess(): void {
    const [place, step] = [lessons.lessonPlace.value, lessons.lessonStep.value];
    if (!place || !step?.predict || !step.see || !lessons.answerTo(place, "predict")) return;
    const name = lessons.nameOf(place);
    if (this.#revealed === name) return;
    this.#revealed = name;
    const { see } = step;
    untracked(() => this.#reveal(see));
  }

  /** Dims every plate but those of the parts named; none named: nothing is dimmed. */
  #dim(parts: readonly string[]): void {
    const { map } = this;
    if (!map) return;
    const within = (name: string) => parts.some((part) => name === part || name.startsWith(`${part}.`));
    const others = parts.length === 0 ? [] : map.layout.plates.filter(({ tensor }) => !within(tensor));
    map.pose(new Map(others.map(({ id }) => [id, { dim: DIM }])));
  }

  /** Flies to a tensor, to cells of it or to a part of the model; of a tensor with a plate for each head, to the plate on
   *  which the chosen cell stands. */
  #fly({ tensor, index }: Place, select: Place | null): void {
    const of = state.graph.value;
    if (select?.tensor === tensor && index.every((at) => at === null))
      this.map?.flyTo({ plateOf: cellOf(select) });
    else if (of && findTensor(of, tensor)) {
      const some = index.some((at) => at !== null);
      this.map?.flyTo(some ? { tensor, index } : { tensor });
    } else if (!this.map?.flyTo({ region: tensor })) this.map?.fit(true);
  }

  /** Marks the step as done once all that it asks for has come true. */
  #notice(): void {
    const [place, step] = [lessons.lessonPlace.value, lessons.lessonStep.value];
    if (!place || !step?.do) return;
    if (this.#isDone(step.do)) lessons.markDone(place);
  }

  #isDone(wanted: ResolvedDo): boolean {
    const now = state.run.value;
    const wrote = (now?.tokens.length ?? 0) - this.#began.tokens;
    return (
      (wanted.selected === null || meets(wanted.selected, state.selected.value)) &&
      (wanted.hovered === null || meets(wanted.hovered, state.hovered.value)) &&
      (wanted.zoomed_to === null || meets(wanted.zoomed_to, state.selected.value)) &&
      (wanted.panel === null || state.panel.value === wanted.panel) &&
      (wanted.wrote === null || wrote >= wanted.wrote) &&
      (!wanted.changed_text || state.readText.value !== this.#began.text) &&
      (!wanted.column || state.position.value !== null)
    );
  }
}

const DIM = 0.75;

const keyOf = (run: string, tokens: number): string => `${run} ${tokens}`;

/** The run that is planned is on show already: its model, its text, and nothing else. */
function isShown({ run: wanted, minus }: Plan): boolean {
  const now = state.run.value;
  return (
    !minus &&
    wanted.interventions.length === 0 &&
    wanted.max_new_tokens === 0 &&
    wanted.model === now?.model &&
    wanted.text !== null &&
    wanted.text === state.readText.value &&
    now.tokens.length === now.promptLength
  );
}

/** Waits until the run on show has read its text; returns its id. */
function readRun(): Promise<string> {
  return when(() => {
    const now = state.run.value;
    return now?.id && hasRead(now) && rests(now) ? now.id : null;
  });
}

/** Waits until the map has the layout of the model on show; without a map there is nothing to wait for. */
function layoutIsThere(): Promise<true> {
  return when(() =>
    state.mapProblem.value || state.laidOut.value?.model === state.modelId.value ? true : null,
  );
}

/** Resolves with what `ready` gives as soon as it is not null. */
function when<T>(ready: () => T | null): Promise<T> {
  return new Promise((resolve) => {
    let stop: (() => void) | null = null;
    let over = false;
    stop = effect(() => {
      const found = ready();
      if (found === null || over) return;
      over = true;
      resolve(found);
      queueMicrotask(() => stop?.());
    });
  });
}

/** The one cell that a place names, its first where it names several. */
const cellOf = ({ tensor, index }: Place): state.Cell => ({ tensor, index: index.map((at) => at ?? 0) });

/** Whether a cell is one of those that a place names. */
function meets({ tensor, index }: Place, cell: state.Cell | null): boolean {
  if (!cell || !(cell.tensor === tensor || (index.length === 0 && cell.tensor.startsWith(`${tensor}.`))))
    return false;
  return index.every((at, axis) => at === null || cell.index[axis] === at);
}

/** Says on the lesson's card what a refusal says. */
async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    lessons.lessonProblem.value = { message: error.message, hint: error.hint };
  }
}
