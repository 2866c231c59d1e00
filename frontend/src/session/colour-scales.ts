/** Colour scales: gives the map the scale in force of every tensor, and fetches those of single tensors when wanted. */

import { computed, effect } from "@preact/signals";
import { findTensor } from "../graph/shape";
import { ApiError, getTensorScales } from "../net/rest";
import type { ColoursPort } from "../scene/ports";
import { hasRead } from "../state/run";
import { fullColour, measured, scaleChoice, tensorScales } from "../state/scales";
import * as state from "../state/store";

export function colourMap(map: ColoursPort): void {
  effect(() => {
    const [graph, choice, now] = [state.graph.value, scaleChoice.value, measured.value];
    map.setScales((tensor) => {
      const info = graph && findTensor(graph, tensor);
      return (info && fullColour(info, choice, now)) ?? 1;
    });
  });
}

/** Whose scales by tensor are wanted: the model, and its run once the prompt has been read. */
const wanted = computed(() => {
  if (scaleChoice.value.mode !== "tensor") return null;
  const run = state.run.value;
  return JSON.stringify([state.modelId.value, run && hasRead(run) ? run.id : null]);
});

export function fetchTensorScales(): void {
  let of: string | null = null;
  effect(() => {
    if (wanted.value === null) return;
    const [model, run] = JSON.parse(wanted.value) as [string | null, string | null];
    // Tensors of two models have the same names.
    if (model !== of) tensorScales.value = {};
    of = model;
    if (model) void fetchScales(model, run, wanted.value);
  });
}

async function fetchScales(model: string, run: string | null, asked: string): Promise<void> {
  try {
    const weights = await getTensorScales(`/models/${encodeURIComponent(model)}`);
    const activations = run ? await getTensorScales(`/runs/${encodeURIComponent(run)}`) : {};
    if (wanted.peek() === asked) tensorScales.value = { ...weights, ...activations };
  } catch (error) {
    // A run may have been forgotten meanwhile: then its kinds' scales hold.
    if (!(error instanceof ApiError)) throw error;
  }
}
