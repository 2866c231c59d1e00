/** Write, pause, step, stop, and how the next token is chosen. */

import { useSignal } from "@preact/signals";
import { connection, run, sampling } from "../state";
import { samplingProblem } from "../state/address";
import { written } from "../state/run";
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
] as const;

export function Writer() {
  const { session } = useActions();
  const now = run.value;
  const away = connection.value !== "open" || !now || now.id === null;
  const writing = now?.phase === "writing";
  return (
    <section aria-label="Writer">
      <div class="row buttons">
        {writing ? (
          <button type="button" class="pill strong" disabled={away} onClick={() => session.pause()}>
            Pause
          </button>
        ) : (
          <button type="button" class="pill strong" disabled={away} onClick={() => session.write()}>
            Write
          </button>
        )}
        <button type="button" class="pill" disabled={away || writing} onClick={() => session.step()}>
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
          {now ? `${written(now)} of ${now.maxNewTokens}` : ""}
        </span>
      </div>
      <SamplingFields />
    </section>
  );
}

function SamplingFields() {
  const problem = useSignal<string | null>(null);
  const change = (name: (typeof FIELDS)[number]["name"], text: string) => {
    const next = { ...sampling.value, [name]: text.trim() === "" ? Number.NaN : Number(text) };
    problem.value = samplingProblem(next);
    if (problem.value === null) sampling.value = next;
  };
  const greedy = sampling.value.temperature === 0;
  return (
    <>
      <div class="sampling mono">
        {FIELDS.map(({ name, label, step, title }) => (
          <label key={name} title={title} class={greedy && name !== "temperature" ? "idle" : undefined}>
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
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}
