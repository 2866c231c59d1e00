/** One lens, open: what it is asked, its chart, the same as a table, and how to read it. */

import { useSignal } from "@preact/signals";
import { getLens, type LensInfo, type LensTable } from "../../net/lenses";
import type { Figure } from "../../net/rest";
import { changedLens, type Face, type OpenLens, openLenses, withoutLens } from "../../state/lenses";
import { rests } from "../../state/run";
import { run } from "../../state/store";
import { plain } from "../shared/matrix-grid";
import { useAnswer } from "../shared/use-lens";
import { Exports } from "./exports";
import { LensFigure } from "./lens-figure";
import { askedOf } from "./lens-follow";
import { LensForm } from "./lens-form";
import { LensTableView } from "./lens-table";
import { LensWords } from "./lens-words";

const FACES: readonly { face: Face; word: string }[] = [
  { face: "figure", word: "Chart" },
  { face: "text", word: "Text" },
  { face: "table", word: "Table" },
  { face: "notes", word: "How to read this" },
];

export function LensPanel({ info, open }: { info: LensInfo; open: OpenLens }) {
  const change = (next: Partial<OpenLens>) => {
    openLenses.value = changedLens(openLenses.value, open.name, next);
  };
  return (
    <section class="lens" aria-label={`Lens: ${info.title}`} data-lens={info.name}>
      <header>
        <h3>{info.title}</h3>
        <span class="soft note">{info.group}</span>
        <span class="grow" />
        <button
          type="button"
          class="link close"
          aria-label={`Close ${info.title}`}
          onClick={() => {
            openLenses.value = withoutLens(openLenses.value, open.name);
          }}
        >
          ×
        </button>
      </header>
      {info.applies ? (
        <Applied info={info} open={open} change={change} />
      ) : (
        <>
          <p class="note">Does not apply to this model: {info.reason}.</p>
          <Notes info={info} />
        </>
      )}
    </section>
  );
}

interface Props {
  readonly info: LensInfo;
  readonly open: OpenLens;
  readonly change: (next: Partial<OpenLens>) => void;
}

function Applied({ info, open: asked, change }: Props) {
  const now = run.value;
  const id = now?.id ?? "";
  const query = askedOf(info.parameters, asked.query);
  const settled = rests(now);
  const key = `${id} ${now?.tokens.length} ${info.name} ${new URLSearchParams(query)}`;
  const table = useAnswer(settled && asked.face !== "notes" ? key : null, (signal) =>
    getLens<LensTable>(id, info.name, { ...query, format: "table" }, signal),
  );
  const along = table.value?.along ?? null;
  // Not every table is a text; an address may ask for one all the same.
  const textless = asked.face === "text" && table.value !== null && along === null;
  const open: OpenLens = textless ? { ...asked, face: "figure" } : asked;
  const figure = useAnswer(settled && open.face === "figure" ? key : null, (signal) =>
    getLens<Figure>(id, info.name, { ...query, format: "figure" }, signal),
  );
  const broken = useSignal<string | null>(null);
  const problem = open.face === "figure" ? figure.problem : table.problem;
  return (
    <>
      <LensForm
        parameters={info.parameters}
        query={open.query}
        asked={query}
        onChange={(next) => change({ query: next })}
      />
      <fieldset class="faces" aria-label={`Show ${info.title} as`}>
        {FACES.filter(({ face }) => face !== "text" || along).map(({ face, word }) => (
          <button
            key={face}
            type="button"
            class="link"
            aria-pressed={open.face === face}
            onClick={() => change({ face })}
          >
            {word}
          </button>
        ))}
      </fieldset>
      {problem && open.face !== "notes" && (
        <p class="problem" role="alert">
          {problem.message} <span>{problem.hint}</span>
        </p>
      )}
      {broken.value && <p class="problem">{broken.value}</p>}
      {!settled && open.face !== "notes" && (
        <p class="soft note">
          {now?.phase === "writing" ? "Waits until the writer rests." : "Comes when the text has been read."}
        </p>
      )}
      {open.face === "figure" && figure.value && (
        <>
          <p class="caption">
            <Title figure={figure.value} />
          </p>
          <LensFigure
            figure={figure.value}
            table={table.value}
            title={info.title}
            failed={(message) => {
              broken.value = message;
            }}
          />
        </>
      )}
      {open.face === "text" && table.value && along && (
        <LensWords table={table.value} along={along} title={info.title} />
      )}
      {open.face === "table" && table.value && <LensTableView table={table.value} title={info.title} />}
      {open.face === "notes" && <Notes info={info} />}
      {open.face !== "notes" && !problem && id && <Exports run={id} lens={info.name} query={query} />}
    </>
  );
}

function Title({ figure }: { figure: Figure }) {
  const title = figure.layout.title as { text?: string } | undefined;
  return <>{plain(title?.text ?? "")}</>;
}

/** Says how to read a lens, and how it is misread. */
export function Notes({ info, heading = "Usual misreadings" }: { info: LensInfo; heading?: string }) {
  return (
    <div class="lens-notes">
      <p>{info.reading}</p>
      {info.misreadings.length > 0 && (
        <>
          <h3>{heading}</h3>
          <ul>
            {info.misreadings.map((misreading) => (
              <li key={misreading}>{misreading}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
