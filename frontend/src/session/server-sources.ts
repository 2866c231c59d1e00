/** The server's sources, as they follow from the model, the run and the comparison in the store. */

import { computed, signal } from "@preact/signals";
import { Difference } from "../sources/difference";
import { NO_SCALES, NO_TEXT, type SourceScales, type SourceText } from "../sources/port";
import { ServerRun } from "../sources/server-run";
import type { ServerStream } from "../sources/server-stream";
import { comparison, differenceScales, differenceTensorScales } from "../state/difference";
import { readTokens } from "../state/run";
import { tensorScales } from "../state/scales";
import type { ServerSources } from "../state/source";
import * as state from "../state/store";

export function serverSources(stream: ServerStream): ServerSources {
  const runId = computed(() => state.run.value?.id ?? null);
  const own = computed(() => {
    const [graph, model] = [state.graph.value, state.modelId.value];
    if (!graph || model === null) return null;
    const known = { graph, model, run: runId.value, text, scales, hasCome: state.passHasCome };
    return new ServerRun(known, stream);
  });
  const drawn = computed(() => {
    const [now, minus] = [own.value, comparison.value?.run];
    if (!now || now.known.run === null || minus === undefined) return now;
    const other = new ServerRun({ ...now.known, run: minus, text: NONE, scales: NONE_MEASURED }, stream);
    return new Difference(now, other, scalesOfDifference, stream);
  });
  return { own, drawn };
}

/** Of a run that is taken away nothing but its cells is asked for. */
const NONE = signal(NO_TEXT);
const NONE_MEASURED = signal(NO_SCALES);

const text = computed<SourceText>(() => {
  const run = state.run.value;
  if (!run) return NO_TEXT;
  return { tokens: run.tokens, read: readTokens(run).length, source: run.source, kinds: run.kinds };
});

const scales = computed<SourceScales>(() => ({
  kinds: { ...state.weightScales.value, ...state.run.value?.scales },
  tensors: tensorScales.value,
}));

const scalesOfDifference = computed<SourceScales>(() => ({
  kinds: { ...state.weightScales.value, ...differenceScales.value },
  tensors: { ...tensorScales.value, ...differenceTensorScales.value },
}));
