/** A lens to take home: its numbers, its table, and its chart in print quality. */

import { useSignal } from "@preact/signals";
import { getLens, type LensQuery } from "../../net/lenses";
import { ApiError, type Figure, lensAddress } from "../../net/rest";
import { figureFile } from "./plotly";

interface Props {
  readonly run: string;
  readonly lens: string;
  readonly query: LensQuery;
}

const FILES = [
  { format: "csv", title: "the table, for a spreadsheet" },
  { format: "json", title: "all numbers" },
  { format: "html", title: "the chart as one file that can be pointed at" },
] as const;
const PICTURES = [
  { format: "png", title: "the chart at 288 dots an inch" },
  { format: "svg", title: "the chart, sharp at any size" },
] as const;

export function Exports({ run, lens, query }: Props) {
  const problem = useSignal<string | null>(null);
  const picture = async (format: "png" | "svg") => {
    try {
      const figure = await getLens<Figure>(run, lens, { ...query, format: "figure" });
      save(await figureFile(figure, format), `${lens}.${format}`);
      problem.value = null;
    } catch (error) {
      problem.value =
        error instanceof ApiError ? `${error.message} ${error.hint}` : "The picture could not be made.";
    }
  };
  return (
    <>
      <p class="exports mono note">
        <span class="soft">take:</span>
        {FILES.map(({ format, title }) => (
          <a
            key={format}
            href={lensAddress(run, lens, { ...query, format })}
            download={`${lens}.${format}`}
            title={title}
          >
            {format}
          </a>
        ))}
        {PICTURES.map(({ format, title }) => (
          <button key={format} type="button" class="link" title={title} onClick={() => void picture(format)}>
            {format}
          </button>
        ))}
      </p>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
