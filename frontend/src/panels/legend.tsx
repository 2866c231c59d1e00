/** The colours and their real scales: what full colour stands for, of what is pointed at. */

import { formatNumber } from "../format";
import { findTensor } from "../graph/shape";
import type { Role } from "../graph/types";
import { graph, hovered, run, selected, weightScales } from "../state";

const ROLES: readonly { role: Role; word: string; signed: boolean }[] = [
  { role: "weight", word: "weights", signed: true },
  { role: "activation", word: "activations", signed: true },
  { role: "probability", word: "probabilities", signed: false },
  { role: "summary", word: "summaries", signed: false },
];

export function Legend() {
  const now = graph.value;
  const cell = hovered.value ?? selected.value;
  const tensor = now && cell ? findTensor(now, cell.tensor) : undefined;
  return (
    <section aria-label="Colours">
      <h3>Colours{tensor ? `: ${tensor.kind}` : ""}</h3>
      <div class="legend mono">
        {ROLES.map(({ role, word, signed }) => {
          const pointed = tensor?.role === role;
          const scale = pointed ? scaleOf(tensor.kind) : null;
          const full = role === "probability" ? "1" : scale === null ? "" : formatNumber(scale, 3);
          return (
            <div key={role} class={tensor && !pointed ? "idle" : undefined}>
              <div class={`ramp ${role}`} />
              <div class="row">
                <span>{signed ? `−${full}` : "0"}</span>
                <span>{word}</span>
                <span>{signed ? `+${full}` : full}</span>
              </div>
            </div>
          );
        })}
      </div>
      {!tensor && <p class="soft note">Point at a plate to see its scale.</p>}
    </section>
  );
}

const scaleOf = (kind: string): number | null => run.value?.scales[kind] ?? weightScales.value[kind] ?? null;
