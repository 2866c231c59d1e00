/** `window.__atlas`: the page's state for tests and the curious (docs/reference/console.md). */

import type { CellBox } from "../graph/cells";
import { findTensor } from "../graph/shape";
import type { NumbersWanted, TestedMap } from "../scene/ports";
import type { CameraState, MapStats } from "../scene/types";
import { lit } from "../state/explain";
import { currentStep, pass, passing, shownMoment } from "../state/pass";
import { rests } from "../state/run";
import { made } from "../state/source";
import * as state from "../state/store";

interface Snapshot {
  readonly model: string | null;
  readonly run: string | null;
  readonly phase: string | null;
  /** Why the run has ended; null while it has not. */
  readonly reason: string | null;
  readonly tokens: readonly number[];
  readonly texts: readonly string[];
  readonly promptLength: number | null;
  readonly selected: state.Cell | null;
  readonly panel: string;
  readonly connection: string;
  readonly frames: number;
  /** The place of stepping through the pass; null while nobody does. */
  readonly pass: PassSnapshot | null;
}

interface PassSnapshot {
  readonly step: number;
  readonly steps: number;
  readonly output: string;
  readonly progress: number;
  readonly running: boolean;
  /** The cells that are framed: those read, and the cells made. */
  readonly reads: readonly CellBox[];
  readonly makes: readonly CellBox[];
}

interface Atlas {
  /** Nothing to draw, to fly, to fetch or to wait for. */
  idle(): boolean;
  whenIdle(): Promise<void>;
  state(): Snapshot;
  /** The number that the map holds for a cell: the very one that is drawn. */
  value(tensor: string, index: readonly number[]): number | undefined;
  /** The boxes of cells that are lit because the cell under the pointer, or else the chosen one, reads or feeds them. */
  lit(): readonly CellBox[];
  stats(): MapStats | null;
  camera(): CameraState | null;
  readonly map: TestedMap | null;
}

declare global {
  interface Window {
    __atlas?: Atlas;
  }
}

export function publish(map: TestedMap | null): void {
  const idle = () => settled(map) && (map?.idle() ?? true);
  window.__atlas = {
    idle,
    whenIdle: async () => {
      // Idle has to last a moment: a message may be between the server and the page.
      for (let calm = 0; calm < 3; calm = idle() ? calm + 1 : 0) await pause(40);
    },
    state: snapshot,
    value: (tensor, index) => map?.valueAt(tensor, index),
    lit: () => lit.value?.boxes ?? [],
    stats: () => map?.stats() ?? null,
    camera: () => map?.getCamera() ?? null,
    map,
  };
}

/** The run rests, and every tensor that the map draws has come. */
function settled(map: NumbersWanted | null): boolean {
  const run = state.run.value;
  if (state.pageProblem.value || (state.promptProblem.value && run?.phase === "done")) return true;
  if (!made.value && (!run?.id || state.connection.value !== "open" || !rests(run))) return false;
  if (!map) return true;
  const graph = state.graph.value;
  const missing = map.wantedActivations().some((name) => {
    const info = graph && findTensor(graph, name);
    return info && !state.arrived.value.has(info.same_as && !info.transposed ? info.same_as : name);
  });
  return !missing && map.wantedTiles().length === 0 && map.cellsHere;
}

function snapshot(): Snapshot {
  const run = state.run.value;
  return {
    model: state.modelId.value,
    run: run?.id ?? null,
    phase: run?.phase ?? null,
    reason: run?.reason ?? null,
    tokens: run?.tokens.map((token) => token.id) ?? [],
    texts: run?.tokens.map((token) => token.text) ?? [],
    promptLength: run?.promptLength ?? null,
    selected: state.selected.value,
    panel: state.panel.value,
    connection: state.connection.value,
    frames: state.framesTaken.value,
    pass: passSnapshot(),
  };
}

function passSnapshot(): PassSnapshot | null {
  const [now, step, whole] = [passing.value, currentStep.value, pass.value];
  if (!now || !step || !whole) return null;
  const { reads = [], makes = [] } = shownMoment.value ?? {};
  return { ...now, steps: whole.steps.length, output: step.output.name, reads, makes };
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
