/** Chooses how full colour is set, and for one tensor's kind (or role) the number itself: typed, dragged, or the largest
 *  value that the tensor has. */

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { formatNumber } from "../../format";
import type { TensorInfo } from "../../graph/types";
import { ApiError, getStatistics } from "../../net/rest";
import { placeOfTensor } from "../../session/explanations";
import { comparison } from "../../state/difference";
import {
  fullColour,
  isFullColour,
  measured,
  pinName,
  SCALE_MODES,
  type ScaleMode,
  scaleChoice,
  withMode,
  withPin,
} from "../../state/scales";
import { shortLabel } from "../shared/cell-words";

/** The slider goes from a thousandth of what is measured to a thousand times that, in steps of a hundredth of ten. */
const DECADES = 3;

export function ScaleControl({ tensor }: { tensor: TensorInfo }) {
  const id = useId();
  const choice = scaleChoice.value;
  return (
    <div class="scale-control">
      <span class="row">
        <label class="mono soft" for={`${id}mode`}>
          scale
        </label>
        <select
          id={`${id}mode`}
          class="mono"
          value={choice.mode}
          onChange={({ currentTarget }) => {
            scaleChoice.value = withMode(choice, currentTarget.value as ScaleMode, measured.value);
          }}
        >
          {SCALE_MODES.map(({ mode, words }) => (
            <option key={mode} value={mode}>
              {words}
            </option>
          ))}
        </select>
      </span>
      <FullColour key={`${choice.mode} ${pinName(tensor, choice)}`} tensor={tensor} />
    </div>
  );
}

function FullColour({ tensor }: { tensor: TensorInfo }) {
  const id = useId();
  const problem = useSignal<string | null>(null);
  const choice = scaleChoice.value;
  const full = fullColour(tensor, choice, measured.value) ?? 1;
  const usual = fullColour(tensor, { ...choice, pinned: {} }, measured.value) ?? 1;
  const set = choice.pinned[pinName(tensor, choice)] !== undefined;
  const of = choice.mode === "fixed" ? WORDS[tensor.role] : shortLabel(tensor);
  const pin = (to: number | null) => {
    problem.value = to === null || isFullColour(to) ? null : "Full colour is a number above 0.";
    if (problem.value === null) scaleChoice.value = withPin(scaleChoice.value, tensor, to);
  };
  const whole = async () => {
    const place = placeOfTensor(tensor);
    if (!place) return;
    try {
      const { min, max } = await getStatistics(
        `/${place.kind}/${encodeURIComponent(place.id)}/${place.kind === "models" ? "weights" : "activations"}`,
        tensor.name,
        place.kind === "runs" ? comparison.value?.run : undefined,
      );
      const largest = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0));
      if (largest > 0) pin(largest);
      else problem.value = `${of} has nothing but zeros.`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.value = `${error.message} ${error.hint}`;
    }
  };
  return (
    <>
      <span class="row">
        <label class="mono soft" for={`${id}full`}>
          full colour of {of}
        </label>
        <input
          id={`${id}full`}
          class="mono"
          inputMode="decimal"
          value={formatNumber(full, 4).replaceAll("−", "-")}
          aria-invalid={problem.value !== null}
          onChange={({ currentTarget }) =>
            pin(Number(currentTarget.value.replaceAll("−", "-") || Number.NaN))
          }
        />
      </span>
      <input
        type="range"
        min={-DECADES}
        max={DECADES}
        step={0.01}
        value={Math.log10(full / usual)}
        aria-label={`Full colour of ${of}, dragged`}
        aria-valuetext={formatNumber(full, 3)}
        onInput={({ currentTarget }) =>
          pin(Number((usual * 10 ** Number(currentTarget.value)).toPrecision(3)))
        }
      />
      <span class="row">
        <button type="button" class="pill" title="So that its largest number has full colour" onClick={whole}>
          Whole range
        </button>
        <button type="button" class="pill" disabled={!set} onClick={() => pin(null)}>
          As measured
        </button>
      </span>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}

const WORDS = {
  weight: "weights",
  activation: "activations",
  probability: "probabilities",
  summary: "summaries",
} as const;
