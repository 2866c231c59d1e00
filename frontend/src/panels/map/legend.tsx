/** The colours and their real scales. Each role's row speaks of the tensor of that role that was pointed at last, so
 *  that there is always a number; what was pointed at just now can be given another scale. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { formatNumber } from "../../format";
import { findTensor } from "../../graph/shape";
import type { Graph, Role, TensorInfo } from "../../graph/types";
import { comparison, hueOf } from "../../state/difference";
import { fullColour, measured, pinName, scaleChoice } from "../../state/scales";
import { graph, hovered, selected } from "../../state/store";
import { shortLabel } from "../shared/cell-words";
import { ScaleControl } from "./scale-control";
import "./legend.css";

const ROLES: readonly { role: Role; word: string; signed: boolean }[] = [
  { role: "weight", word: "weights", signed: true },
  { role: "activation", word: "activations", signed: true },
  { role: "probability", word: "probabilities", signed: false },
  { role: "summary", word: "summaries", signed: false },
];

/** By role, the tensor pointed at or chosen last. */
const last = signal<Readonly<Partial<Record<Role, string>>>>({});
const latest = signal<string | null>(null);

/** True while the numbers behind the colours are shown. */
export const colourNumbers = signal(false);

const SWATCHES: readonly { role: Role; word: string }[] = [
  { role: "weight", word: "learned, − and +" },
  { role: "activation", word: "from your text, − and +" },
  { role: "probability", word: "shares, 0 to 1" },
  { role: "summary", word: "summaries" },
];

const SUMMARIES = "One number for a whole row: a mean, a deviation, a largest score, a sum";

/** In the map's corner: what the colours mean, without numbers. */
export function MapLegend() {
  const now = graph.value;
  if (!now) return null;
  const less = comparison.value !== null;
  return (
    <ul class="map-legend" aria-label="What the colours mean">
      {SWATCHES.filter(({ role }) => firstOf(now, role)).map(({ role, word }) => (
        <li key={role} title={role === "summary" ? SUMMARIES : undefined}>
          <i class={`ramp ${hueOf(role)}`} aria-hidden="true" />
          {less && role !== "weight" ? `Δ ${word.split(",")[0]}` : word}
        </li>
      ))}
    </ul>
  );
}

export function Legend() {
  const now = graph.value;
  const cell = hovered.value ?? selected.value;
  const pointed = now && cell ? findTensor(now, cell.tensor) : undefined;
  useEffect(() => {
    if (!pointed || latest.peek() === pointed.name) return;
    latest.value = pointed.name;
    last.value = { ...last.peek(), [pointed.role]: pointed.name };
  }, [pointed]);
  if (!now) return null;
  const spoken = (latest.value && findTensor(now, latest.value)) || firstOf(now, "weight");
  return (
    <details
      class="colours"
      open={colourNumbers.value}
      onToggle={(event) => {
        colourNumbers.value = event.currentTarget.open;
      }}
    >
      <summary class="heading">Colours: numbers and scales</summary>
      <div class="legend mono">
        {ROLES.map(({ role, word, signed }) => {
          const info = shownOf(now, role);
          const less = comparison.value !== null && role !== "weight";
          return (
            info && (
              <Row
                key={role}
                info={info}
                word={less ? `Δ ${word}` : word}
                signed={signed || less}
                on={info === spoken}
              />
            )
          );
        })}
        <Others />
      </div>
      {comparison.value && <p class="soft note">Δ: this text's number less the other text's.</p>}
      {spoken && <ScaleControl tensor={spoken} />}
    </details>
  );
}

function Row({ info, word, signed, on }: { info: TensorInfo; word: string; signed: boolean; on: boolean }) {
  const choice = scaleChoice.value;
  const scale = fullColour(info, choice, measured.value);
  const full = scale === null ? "?" : formatNumber(scale, 3);
  const shared = choice.mode === "fixed" || (choice.mode === "role" && !choice.pinned[info.kind]);
  const set = choice.pinned[pinName(info, choice)] !== undefined;
  return (
    <div class={on ? "on" : undefined}>
      <div class={`ramp ${hueOf(info.role)}`} />
      <div class="row">
        <span>{signed ? `−${full}` : "0"}</span>
        <span class="of" title={scale === null ? "Not measured yet" : undefined}>
          {word}
          {shared ? "" : `: ${shortLabel(info)}`}
          {set ? " (set)" : ""}
        </span>
        <span>{signed ? `+${full}` : full}</span>
      </div>
    </div>
  );
}

/** Lists what has no place on a ramp. */
function Others() {
  return (
    <ul class="others">
      <li>
        <i class="swatch masked" /> masked
      </li>
      <li>
        <i class="swatch absent" /> {comparison.value ? "no partner" : "room for tokens to come"}
      </li>
      <li>
        <i class="swatch nan" /> not a number
      </li>
    </ul>
  );
}

function shownOf(of: Graph, role: Role): TensorInfo | undefined {
  const name = last.value[role];
  const info = name ? findTensor(of, name) : undefined;
  return info?.role === role ? info : firstOf(of, role);
}

const firstOf = (of: Graph, role: Role): TensorInfo | undefined =>
  of.tensors.find((tensor) => tensor.role === role && tensor.same_as === null);
