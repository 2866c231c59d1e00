/** Write, pause, step, stop, and how the next token is chosen. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../../format";
import { type Writing, writingNext, written } from "../../state/run";
import { samplingProblem } from "../../state/sampling";
import { speedInWords, WRITING_SPEEDS } from "../../state/speed";
import { connection, model, run, sampling, unread, writesByHand, writingSpeed } from "../../state/store";
import { useActions } from "../shared/actions";

const FIELDS = [
  { name: "temperature", label: "temperature", step: "0.1", title: "0 always takes the likeliest token" },
  { name: "top_k", label: "top-k", step: "1", title: "draw among this many; 0 keeps every token" },
  {
    name: "top_p",
    label: "top-p",
    step: "0.05",
    title: "draw among the fewest that reach this share; 1 keeps all",
  },
  { name: "seed", label: "seed", step: "1", title: "the same seed draws the same tokens" },
  {
    name: "beams",
    label: "beams",
    step: "1",
    title: "search whole texts for the highest log-probability per token; 1 does not search",
  },
] as const;
type Field = (typeof FIELDS)[number]["name"];

export function Writer() {
  const { session } = useActions();
  const now = run.value;
  const away = connection.value !== "open" || !now || now.id === null;
  const writing = now?.phase === "writing" && !unread.value;
  const next = now && !unread.value ? writingNext(now, model.value?.positions ?? 0) : "begins";
  const stops = now !== null && now.phase !== "done" && (now.phase !== "paused" || writesByHand.value);
  return (
    <section aria-label="Writer">
      <div class="row buttons">
        {writing ? (
          <button
            type="button"
            class="pill strong write"
            disabled={away}
            title="Waits after this token"
            onClick={() => session.writer.pause()}
          >
            Pause
          </button>
        ) : (
          <button
            type="button"
            class="pill strong write"
            disabled={away}
            title={unread.value ? "Reads what is typed, then writes until paused" : WRITES[next]}
            onClick={() => session.writer.write()}
          >
            {now?.phase === "done" && !unread.value ? CALLED[next] : CALLED.begins}
          </button>
        )}
        <button
          type="button"
          class="pill"
          disabled={away || writing}
          title={
            unread.value
              ? "Reads what is typed, then writes one token"
              : "Writes one token after what stands there"
          }
          onClick={() => session.writer.step()}
        >
          Step
        </button>
        <button
          type="button"
          class="pill"
          disabled={away || !stops}
          title="Ends the run where it is; what it has computed stays"
          onClick={() => session.writer.stop()}
        >
          Stop
        </button>
        <span class="mono soft" aria-live="polite">
          {now && now.maxNewTokens > 0 ? `${written(now)} of ${now.maxNewTokens} written` : ""}
        </span>
      </div>
      {now && now.beamScore !== null && (
        <p class="soft note">
          The beams chose this text at <span class="mono">{formatNumber(now.beamScore)}</span> nats per token
          written: a log-probability, the higher the likelier.
        </p>
      )}
      <Speed />
      <SamplingFields />
    </section>
  );
}

/** Words on the button, and a sentence about it. */
const CALLED: Readonly<Record<Writing, string>> = {
  begins: "Write",
  "goes on": "Go on",
  "begins anew": "Write anew",
};
const WRITES: Readonly<Record<Writing, string>> = {
  begins: "Writes after what has been read, until paused",
  "goes on": "Goes on after what is written, until paused",
  "begins anew": "Nothing can follow here: reads the text again and writes anew, with the settings below",
};

/** Sets the speed of writing, from one token a second to as fast as it goes. */
function Speed() {
  const { session } = useActions();
  const at = WRITING_SPEEDS.indexOf(writingSpeed.value);
  const words = speedInWords(writingSpeed.value);
  return (
    <label class="row mono soft writing-speed">
      <span>speed</span>
      <input
        type="range"
        aria-label="Writing speed"
        min="0"
        max={WRITING_SPEEDS.length - 1}
        value={at < 0 ? WRITING_SPEEDS.length - 1 : at}
        aria-valuetext={words}
        onInput={({ currentTarget }) => {
          writingSpeed.value = WRITING_SPEEDS[Number(currentTarget.value)] ?? null;
          session.writer.paceChanged();
        }}
      />
      <span>{words}</span>
    </label>
  );
}

function SamplingFields() {
  const problem = useSignal<string | null>(null);
  const change = (name: Field, text: string) => {
    const next = { ...sampling.value, [name]: text.trim() === "" ? Number.NaN : Number(text) };
    problem.value = samplingProblem(next);
    if (problem.value === null) sampling.value = next;
  };
  const beams = sampling.value.beams;
  const greedy = beams === 1 && sampling.value.temperature === 0;
  const decides = (name: Field) => name === "beams" || (beams === 1 && (!greedy || name === "temperature"));
  return (
    <>
      <div class="sampling mono">
        {FIELDS.map(({ name, label, step, title }) => (
          <label key={name} title={title} class={decides(name) ? undefined : "idle"}>
            <span>{label}</span>
            <input
              type="number"
              name={name}
              step={step}
              min="0"
              value={sampling.value[name]}
              onInput={(event) => change(name, event.currentTarget.value)}
            />
          </label>
        ))}
      </div>
      {greedy && <p class="soft note">Greedy: always the likeliest token.</p>}
      {beams > 1 && (
        <p class="soft note">
          Beam search: {beams} texts grow side by side, and the one with the highest log-probability per token
          is written. Nothing is drawn, so the other fields have no say.
        </p>
      )}
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}
