/** Write, pause, step, stop, and how the next token is chosen. */

import { useSignal } from "@preact/signals";
import { connection, run, sampling, unread, writingSpeed } from "../state";
import { written } from "../state/run";
import { samplingProblem } from "../state/sampling";
import { speedInWords, WRITING_SPEEDS } from "../state/speed";
import { useActions } from "./actions";

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
  const reads = unread.value ? "Reads what is typed, then" : "From what has been read,";
  return (
    <section aria-label="Writer">
      <div class="row buttons">
        {writing ? (
          <button type="button" class="pill strong" disabled={away} onClick={() => session.pause()}>
            Pause
          </button>
        ) : (
          <button
            type="button"
            class="pill strong"
            disabled={away}
            title={`${reads} writes until paused`}
            onClick={() => session.write()}
          >
            Write
          </button>
        )}
        <button
          type="button"
          class="pill"
          disabled={away || writing}
          title={`${reads} writes one token`}
          onClick={() => session.step()}
        >
          Step
        </button>
        <button
          type="button"
          class="pill"
          disabled={away || now?.phase === "done"}
          onClick={() => session.stop()}
        >
          Stop
        </button>
        <span class="mono soft" aria-live="polite">
          {now && now.maxNewTokens > 0 ? `${written(now)} of ${now.maxNewTokens} written` : ""}
        </span>
      </div>
      <Speed />
      <SamplingFields />
    </section>
  );
}

/** How fast it writes, from one token a second to as fast as it goes. */
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
          session.paceChanged();
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
