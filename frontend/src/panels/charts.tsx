/** Charts that the server describes and plotly.js draws: the next token's distribution, and surprisal. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, type Figure, getFigure, lensAddress } from "../net/rest";
import { position, run } from "../state";
import { theme } from "../theme";
import { drawFigure } from "./plotly";

export function Charts() {
  const now = run.value;
  if (!now?.id) return <p class="soft">The charts come with a run.</p>;
  const settled = now.phase !== "writing";
  return (
    <>
      <Chart title="Next token" lens="next_token" query={atPosition()} settled={settled} />
      <Chart title="Surprisal along the text" lens="surprisal" query={{}} settled={settled} />
    </>
  );
}

const atPosition = (): Record<string, string> =>
  position.value === null ? {} : { pos: `${position.value}` };

interface ChartProps {
  readonly title: string;
  readonly lens: string;
  readonly query: Readonly<Record<string, string>>;
  /** While writing, a chart waits. */
  readonly settled: boolean;
}

function Chart({ title, lens, query, settled }: ChartProps) {
  const now = run.value;
  const id = now?.id ?? "";
  const key = `${id} ${now?.tokens.length ?? 0} ${lens} ${new URLSearchParams(query)}`;
  return (
    <section class="chart">
      <h3>{title}</h3>
      <FigureView key={lens} wanted={settled ? key : null} load={() => getFigure(id, lens, query)} />
      <Downloads run={id} lens={lens} query={query} />
    </section>
  );
}

/** Draws what `load` brings whenever `wanted` changes (null leaves what is there), and says what went wrong. */
export function FigureView({ wanted, load }: { wanted: string | null; load: () => Promise<Figure> }) {
  const host = useRef<HTMLDivElement>(null);
  const figure = useSignal<Figure | null>(null);
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    if (wanted === null) return;
    let current = true;
    load().then(
      (come) => {
        if (current) figure.value = come;
        problem.value = null;
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (current) problem.value = `${error.message} ${error.hint}`;
      },
    );
    return () => {
      current = false;
    };
  }, [wanted]);
  const drawn = figure.value;
  const colours = theme.value;
  useEffect(() => {
    if (!host.current || !drawn) return;
    return drawFigure(host.current, drawn, (message) => {
      problem.value = message;
    });
  }, [drawn, colours]);
  return (
    <>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {!drawn && !problem.value && (
        <p class="soft note">{wanted === null ? "Drawn when the writer rests." : "Loading."}</p>
      )}
      <div class="plot" ref={host} />
    </>
  );
}

/** A lens's numbers to take home. */
export function Downloads({
  run: id,
  lens,
  query,
}: {
  run: string;
  lens: string;
  query: Readonly<Record<string, string>>;
}) {
  return (
    <p class="note">
      {(["csv", "json", "html"] as const).map((format) => (
        <a key={format} href={lensAddress(id, lens, { ...query, format })} download={`${lens}.${format}`}>
          {format}{" "}
        </a>
      ))}
    </p>
  );
}
