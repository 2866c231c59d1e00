/** The badge of the model in use: what the server found when it recomputed every operation in float64. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { formatCount, formatNumber } from "../../format";
import { getParity, type Parity, type ParityProgress } from "../../net/parity";
import { ApiError } from "../../net/rest";
import { goTo, useActions } from "../shared/actions";
import "./parity.css";

const ASK_AGAIN_MS = 500;
/** Beyond this a float32 model is not what its equations say (docs/reference/explain.md). */
const RIGHT = 1e-4;

type State = Parity | ParityProgress | ApiError | null;

export function ParityBadge({ model, close }: { readonly model: string; readonly close: () => void }) {
  const found = useSignal<State>(null);
  useEffect(() => {
    const leaving = new AbortController();
    void watch(model, leaving.signal, (state) => {
      found.value = state;
    });
    return () => leaving.abort();
  }, [model, found]);
  const now = found.value;
  if (now === null) return <p class="parity soft">asking how exact it is …</p>;
  if (now instanceof ApiError)
    return (
      <p class="parity soft">
        Not compared: {now.message} {now.hint}
      </p>
    );
  if ("state" in now)
    return (
      <p class="parity soft">
        recomputing in float64: {formatCount(now.done)} of {formatCount(now.operations)} operations
      </p>
    );
  return <Report report={now} close={close} />;
}

/** Ask until the report is there. */
async function watch(model: string, signal: AbortSignal, tell: (state: State) => void): Promise<void> {
  try {
    for (;;) {
      const state = await getParity(model, signal);
      tell(state);
      if (!("state" in state)) return;
      await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
      if (signal.aborted) return;
    }
  } catch (error) {
    if (error instanceof ApiError) tell(error);
    else if (!signal.aborted) throw error;
  }
}

function Report({ report, close }: { readonly report: Parity; readonly close: () => void }) {
  const right = report.not_finite.length === 0 && (report.relative ?? Number.POSITIVE_INFINITY) <= RIGHT;
  return (
    <details class={`parity ${right ? "exact" : "off"}`}>
      <summary>
        <b>{right ? "✓ exact" : "≈ not exact"}</b> to {formatNumber(report.relative ?? Number.NaN, 2)} against
        float64{report.dtype === "float32" ? "" : `, in ${report.dtype}`}
      </summary>
      <p>
        Every operation recomputed from what it reads, by the graph's own equations:{" "}
        {formatCount(report.operations)} operations, {formatCount(report.cells)} numbers, on{" "}
        {report.text === null ? `${report.tokens.length} tokens from a fixed seed` : `“${report.text}”`}.
        Differences are shares of the largest value, or of 1 where that is smaller.
      </p>
      {report.not_finite.length > 0 && (
        <p>Infinities or not-a-numbers in other places than expected: {report.not_finite.join(", ")}.</p>
      )}
      <Kinds report={report} close={close} />
    </details>
  );
}

function Kinds({ report, close }: { readonly report: Parity; readonly close: () => void }) {
  const { map } = useActions();
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">operation</th>
          <th scope="col">how many</th>
          <th scope="col">largest difference</th>
          <th scope="col">in</th>
        </tr>
      </thead>
      <tbody>
        {report.kinds.map((kind) => (
          <tr key={kind.kind} class={kind.output === report.worst?.output ? "worst" : undefined}>
            <th scope="row">{kind.kind.replaceAll("_", " ")}</th>
            <td>{formatCount(kind.operations)}</td>
            <td>{formatNumber(kind.relative ?? Number.NaN, 2)}</td>
            <td>
              <button
                type="button"
                class="link mono"
                onClick={() => {
                  close();
                  goTo(map, kind.output);
                }}
              >
                {kind.output}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
