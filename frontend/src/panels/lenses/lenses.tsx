/** The dock: lenses that stand open beside the map, and the list to open others from. */

import { getLenses, type LensInfo } from "../../net/lenses";
import { openLenses, withLens } from "../../state/lenses";
import { rests } from "../../state/run";
import { run } from "../../state/store";
import { useAnswer } from "../shared/use-lens";
import { LensPanel } from "./lens-panel";
import "./lenses.css";
import type { Panel } from "../shared/panel";

export const LENSES_PANEL: Panel = { id: "lenses", title: "Lenses", Component: Lenses };

export function Lenses() {
  const now = run.value;
  const ready = now?.id && rests(now);
  const list = useAnswer(ready ? `${now.id} ${now.tokens.length}` : null, (signal) =>
    getLenses(now?.id ?? "", signal),
  );
  if (!now?.id) return <p class="soft">Lenses come with a run.</p>;
  const lenses = list.value;
  return (
    <>
      {list.problem && (
        <p class="problem" role="alert">
          {list.problem.message} {list.problem.hint}
        </p>
      )}
      {!lenses && !list.problem && <p class="soft">Comes when the prompt has been read.</p>}
      {lenses && <Chooser lenses={lenses} />}
      {lenses &&
        openLenses.value.map((open) => {
          const info = lenses.find(({ name }) => name === open.name);
          return info ? <LensPanel key={open.name} info={info} open={open} /> : null;
        })}
      {lenses && openLenses.value.length === 0 && <p class="soft">Open a lens from the list above.</p>}
    </>
  );
}

function Chooser({ lenses }: { lenses: readonly LensInfo[] }) {
  const groups = [...new Set(lenses.map(({ group }) => group))];
  return (
    <label class="lens-chooser">
      <span class="heading">Open a lens</span>
      <select
        value=""
        onChange={(event) => {
          const name = event.currentTarget.value;
          event.currentTarget.value = "";
          if (name) openLenses.value = withLens(openLenses.value, name);
        }}
      >
        <option value="">choose…</option>
        {groups.map((group) => (
          <optgroup key={group} label={group}>
            {lenses
              .filter((lens) => lens.group === group)
              .map((lens) => (
                <option key={lens.name} value={lens.name}>
                  {lens.title}
                  {lens.applies ? "" : " (not for this model)"}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
