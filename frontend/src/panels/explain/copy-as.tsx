/** "Copy as": a cell as a value, a call, or a few lines of Python; shown before it is copied. */

import { useSignal } from "@preact/signals";
import { findTensor } from "../../graph/shape";
import { placeOf } from "../../session/explanations";
import { tokensRead } from "../../state/source";
import { type Cell, graph, model } from "../../state/store";
import { snippets } from "./copy";

export function CopyAs({ cell, value }: { cell: Cell; value: number | null }) {
  const open = useSignal<string | null>(null);
  const said = useSignal("");
  const info = graph.value && findTensor(graph.value, cell.tensor);
  const place = placeOf(cell);
  const now = model.value;
  if (!info || !place || !now) return null;
  const all = snippets(cell, {
    origin: window.location.origin,
    model: now.id,
    bundled: now.bundled,
    kind: now.kind,
    graph: graph.value!,
    place,
    info,
    value,
    tokens: tokensRead.value.map(({ id }) => id),
  });
  const shown = all.find(({ name }) => name === open.value);
  const copy = async (text: string) => {
    said.value = (await copied(text))
      ? "Copied."
      : "The browser does not let the page copy; select the text.";
  };
  return (
    <div class="copy-as">
      <h3>Copy as</h3>
      <fieldset class="row wrap" aria-label="Copy as">
        {all.map(({ name }) => (
          <button
            key={name}
            type="button"
            class="pill"
            aria-expanded={open.value === name}
            onClick={() => {
              open.value = open.value === name ? null : name;
              said.value = "";
            }}
          >
            {name}
          </button>
        ))}
      </fieldset>
      {shown && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, by keyboard too */}
          <pre class="mono" tabIndex={0}>
            {shown.text || "There is no number yet."}
          </pre>
          <button type="button" class="pill" onClick={() => void copy(shown.text)}>
            Copy
          </button>
        </>
      )}
      <span class="soft" role="status">
        {" "}
        {said.value}
      </span>
    </div>
  );
}

/** Whether the text is on the clipboard now; pages that are not served securely have none. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
