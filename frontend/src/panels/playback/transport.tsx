/** The bar at the foot of the map while somebody steps through a forward pass: buttons, the line of time, and what the
 *  operation does, in a sentence and in a formula. */

import { markOf } from "../../graph/pass";
import { findTensor, shapeAt } from "../../graph/shape";
import type { WordedOperation } from "../../net/ops";
import { nameAt, type TimedPass, type TimedStep } from "../../playback/pass-time";
import { timeOf } from "../../playback/track";
import { currentStep, type Passing, pass, passGrain, passing, passTold, shownMoment } from "../../state/pass";
import { reading, source } from "../../state/source";
import { graph, type Problem } from "../../state/store";
import { timeline } from "../../state/timeline";
import { goTo, useActions } from "../shared/actions";
import { Formula } from "../shared/math";
import { blockBy, leavePass, scrubTo, stepBy, toFirst, togglePass, toLast } from "./pass-controls";
import { Speed } from "./speed";
import "./transport.css";

/** The slider counts in whole numbers, always up to the same: browsers misplace the knob when its end changes. */
const FINE = 100_000;

export function Transport() {
  const [now, whole, step] = [passing.value, pass.value, currentStep.value];
  if (!now || !whole || !step || !graph.value || !source.value) return null;
  const told = source.value.inWords(step.opNumber);
  return (
    <section class="transport" aria-label="The forward pass, step by step">
      <Controls now={now} whole={whole} />
      <Told step={step} whole={whole} {...told} />
      <Live now={now} whole={whole} step={step} words={told.words} />
    </section>
  );
}

// ---- buttons -----------------------------------------------------------------------------------------------

function Controls({ now, whole }: { now: Passing; whole: TimedPass }) {
  const { map, session } = useActions();
  const last = whole.steps.length - 1;
  const end = now.step === last && now.progress >= 1;
  return (
    // Pressed buttons leave the keyboard where it was: Space goes on to play and pause.
    <fieldset class="row" aria-label="Time" onMouseDown={keepFocus}>
      <Press
        label="Block back"
        keys="Page Up"
        sign="«"
        off={now.step === 0}
        act={() => blockBy(session, -1)}
      />
      <Press label="Back" keys="←" sign="‹" off={now.step === 0} act={() => stepBy(session, -1)} />
      <button type="button" class="pill strong" title="Space" onClick={() => togglePass(session)}>
        {now.running ? "Pause" : "▸ Play"}
      </button>
      <Press label="Forward" keys="→" sign="›" off={end} act={() => stepBy(session, 1)} />
      <Press label="Block forward" keys="Page Down" sign="»" off={end} act={() => blockBy(session, 1)} />
      <Line now={now} whole={whole} />
      <Speed />
      <button
        type="button"
        class="pill"
        aria-pressed={passGrain.value === "block"}
        title="Block by block: every block takes as long as any other"
        onClick={() => {
          passGrain.value = passGrain.value === "block" ? "operation" : "block";
        }}
      >
        Blocks
      </button>
      {map && (
        <button
          type="button"
          class="pill"
          aria-pressed={timeline.follows.value}
          title="The eye goes where the operation is"
          onClick={() => {
            timeline.follows.value = !timeline.follows.value;
          }}
        >
          Follow
        </button>
      )}
      <Press label="Leave the pass" keys="Esc" sign="×" off={false} act={leavePass} />
    </fieldset>
  );
}

function keepFocus(event: MouseEvent): void {
  if (event.target instanceof Element && event.target.closest("button")) event.preventDefault();
}

function Press({
  label,
  keys,
  sign,
  off,
  act,
}: {
  label: string;
  keys: string;
  sign: string;
  off: boolean;
  act: () => void;
}) {
  return (
    <button
      type="button"
      class="pill sign"
      aria-label={label}
      title={`${label} (${keys})`}
      disabled={off}
      onClick={act}
    >
      {sign}
    </button>
  );
}

/** The line of time: drag it either way. Blocks are marked on it. */
function Line({ now, whole }: { now: Passing; whole: TimedPass }) {
  const { session } = useActions();
  const keys: Readonly<Record<string, () => void>> = {
    ArrowRight: () => stepBy(session, 1),
    ArrowUp: () => stepBy(session, 1),
    ArrowLeft: () => stepBy(session, -1),
    ArrowDown: () => stepBy(session, -1),
    PageDown: () => blockBy(session, 1),
    PageUp: () => blockBy(session, -1),
    Home: () => toFirst(session),
    End: () => toLast(session),
    " ": () => togglePass(session),
  };
  return (
    <span class="line">
      <input
        type="range"
        min="0"
        max={FINE}
        aria-label="Operations"
        aria-valuetext={placeInWords(now, whole)}
        value={Math.round((timeOf(whole, now) / whole.seconds) * FINE)}
        onInput={({ currentTarget }) =>
          scrubTo(session, (Number(currentTarget.value) / FINE) * whole.seconds)
        }
        onKeyDown={(event) => {
          const act = keys[event.key];
          if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          act();
        }}
      />
      <span class="marks" aria-hidden="true">
        {whole.marks.map(({ step, name }) => (
          <i
            key={name}
            title={name}
            class={markOf(whole, now.step)?.step === step ? "here" : undefined}
            style={{ left: `${(whole.steps[step]!.start / whole.seconds) * 100}%` }}
          />
        ))}
      </span>
    </span>
  );
}

const placeInWords = ({ step }: Passing, whole: TimedPass): string =>
  `${step + 1} of ${whole.steps.length}, ${nameAt(whole, { step })}`;

// ---- what it does ------------------------------------------------------------------------------------------

function Told({
  step,
  whole,
  words,
  problem,
}: {
  step: TimedStep;
  whole: TimedPass;
  words: WordedOperation | null;
  problem: Problem | null;
}) {
  const { map } = useActions();
  const told = passTold.value;
  const meaning = passGrain.value === "block" ? told?.block : told?.meaning;
  const roles = step.op.reads.map(({ tensor }) => findTensor(graph.value!, tensor)?.role ?? "activation");
  return (
    <div class="told">
      <p class="what">
        <span class="mono soft">
          {step.number + 1} of {whole.steps.length} · {nameAt(whole, { step: step.number })}
        </span>{" "}
        <button type="button" class="link mono" onClick={() => goTo(map, step.output.name)}>
          {step.output.name}
        </button>{" "}
        <strong>{step.op.title}</strong> <PartMade />
      </p>
      <p class="meaning">{meaning}</p>
      <p class="sentence soft">{words?.sentence ?? (problem ? `${problem.message} ${problem.hint}` : "")}</p>
      <div class="formula-line">
        {words && <Formula latex={words.latex_marked} roles={roles} />}
        <span class="mono soft">{words && sizesOf(step, words)}</span>
      </div>
    </div>
  );
}

/** Which part of the output is being made. */
function PartMade() {
  const moment = shownMoment.value;
  const [made] = moment?.makes ?? [];
  if (!moment || moment.whole || !made) return null;
  const parts = moment.step.swept.map(({ axis }) => {
    const at = made.start[moment.step.output.axes.indexOf(axis)]!;
    return `${axis} ${at}`;
  });
  return <span class="mono soft">{parts.join(", ")}</span>;
}

/** The letters of the formula, with the axes that they stand for and how long these are. */
function sizesOf(step: TimedStep, { symbols }: WordedOperation): string {
  const now = graph.value!;
  const lengthOf = (axis: string): number | undefined => {
    const tensors = [step.output, ...step.op.reads.map(({ tensor }) => findTensor(now, tensor))];
    const holds = tensors.find((tensor) => tensor?.axes.includes(axis));
    return holds && shapeAt(holds, reading.value.positions)[holds.axes.indexOf(axis)];
  };
  return Object.entries(symbols)
    .map(([letter, axis]) => `${letter} ${axis} ${lengthOf(axis) ?? ""}`.trim())
    .join(" · ");
}

/** For screen readers. A pass that plays fast says where it is block by block. */
function Live({
  now,
  whole,
  step,
  words,
}: {
  now: Passing;
  whole: TimedPass;
  step: TimedStep;
  words: WordedOperation | null;
}) {
  const fast = now.running && timeline.speed.value > 1;
  const mark = nameAt(whole, { step: step.number });
  const sentence = words?.sentence ?? "";
  const said = `Operation ${step.number + 1} of ${whole.steps.length}, ${mark}: ${step.op.title}. ${sentence}`;
  return (
    <p class="unseen" aria-live="polite">
      {fast ? mark : said}
    </p>
  );
}
