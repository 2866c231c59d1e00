/** What stands on the right before anything is chosen: what this picture is, and four things to do with it. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { findTensor } from "../../graph/shape";
import type { Role } from "../../graph/types";
import { ApiError } from "../../net/rest";
import { hasRead, type Run } from "../../state/run";
import { phoneView } from "../../state/shell";
import { graph, laidOut, model, type Problem, panel, run } from "../../state/store";
import { watchItRead } from "../playback/pass-controls";
import { useActions } from "../shared/actions";
import { changeText, showGuess, showLook } from "./guide-acts";
import { storyOf } from "./story";
import "./guide.css";

export function Guide() {
  const { map, session } = useActions();
  const [now, of] = [graph.value, model.value];
  const problem = useSignal<Problem | null>(null);
  if (!now || !of) return null;
  // The places follow the layout.
  const { into, within, out } = storyOf(now, of, map && laidOut.value !== null ? map.layout : null);
  const ready = run.value?.id && hasRead(run.value) ? run.value : null;
  const attempt = (act: (run: Run) => Promise<Problem | null>) => async () => {
    if (ready) problem.value = await act(ready).catch(asProblem);
  };
  return (
    <section aria-label="About this map" class="guide">
      <h2>About this map</h2>
      <p>{into}</p>
      <p>{within}</p>
      <p>{out}</p>
      <Colours />
      <div class="to-do">
        {map && (
          <Do what="Watch it read" why="its numbers, in the order in which they are made" off={!ready}>
            {() => watchItRead(session)}
          </Do>
        )}
        <Do what="How one word looks at another" why="a head that does something in this text" off={!ready}>
          {attempt((read) => showLook(map, now, read))}
        </Do>
        {findTensor(now, "logits") && (
          <Do what="Where the guess comes from" why="what each part of the model adds to it" off={!ready}>
            {attempt(showGuess)}
          </Do>
        )}
        <Do what="Change the text" why="type your own, and read it" off={false}>
          {changeText}
        </Do>
      </div>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value.message} <span>{problem.value.hint}</span>
        </p>
      )}
      <p class="soft note">Point at a square to see what it is; click to keep it here.</p>
    </section>
  );
}

function Colours() {
  return (
    <p>
      Every square is one number. <Hue of="weight">Blue and amber</Hue> were learned,{" "}
      <Hue of="activation">teal and rose</Hue> are computed from your text (above and below zero), and{" "}
      <Hue of="probability">violet</Hue> are shares that add up to one.
    </p>
  );
}

/** Words with the swatch of what they name. */
function Hue({ of, children }: { of: Role; children: ComponentChildren }) {
  return (
    <b class="hue">
      <i class={`ramp ${of}`} aria-hidden="true" /> {children}
    </b>
  );
}

interface DoProps {
  readonly what: string;
  readonly why: string;
  readonly off: boolean;
  readonly children: () => void;
}

function Do({ what, why, off, children: act }: DoProps) {
  return (
    <button type="button" disabled={off} onClick={act}>
      <b>{what}</b> <span class="soft">{why}</span>
    </button>
  );
}

function asProblem(error: unknown): Problem {
  if (!(error instanceof ApiError)) throw error;
  return { message: error.message, hint: error.hint };
}

/** On a phone, above the text: what this is, and the way to the rest. */
export function PhoneGuide() {
  const of = model.value;
  if (!of) return null;
  return (
    <p class="phone-guide">
      <b>{of.title}.</b> {of.description} This page shows every number in it, and how each is made.{" "}
      <button
        type="button"
        class="link"
        onClick={() => {
          panel.value = "inspector";
          phoneView.value = "reading";
          window.scrollTo(0, 0);
        }}
      >
        What is what
      </button>
    </p>
  );
}
