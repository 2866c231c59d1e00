/** Lights up on the map what explains the cell under the pointer, or else the chosen one, and what panels mark. */

import { effect } from "@preact/signals";
import { attentionOf } from "../graph/attentions";
import type { PickPort } from "../scene/ports";
import type { CellPattern } from "../scene/types";
import { lit, pins, played, sameCell, trail } from "../state/explain";
import { passing } from "../state/pass";
import { rests } from "../state/run";
import { made, source } from "../state/source";
import { attention, graph, lightsLast, marked, modelId, run, selected } from "../state/store";
import { timeline } from "../state/timeline";

/** `columnOf` names the cells of a position in all that has one. */
export function lightUp(map: PickPort, columnOf: (at: number) => readonly CellPattern[]): void {
  effect(() => {
    const boxes = lit.value?.boxes ?? [];
    const now = run.value;
    const free = marked.value.length === 0 && boxes.length === 0 && passing.value === null;
    const last = lightsLast.value && free && now && rests(now) ? columnOf(now.tokens.length - 1) : [];
    map.highlight([
      ...last,
      ...marked.value,
      ...boxes.map(
        ({ tensor, start, stop }): CellPattern => ({
          tensor,
          index: start.map((from, axis) => [from, stop[axis]!] as const),
        }),
      ),
    ]);
  });
}

/** A cell chosen in any other way than by walking begins a new trail. */
export function followChoice(): void {
  effect(() => {
    const cell = selected.value;
    if (!sameCell(trail.peek().at(-1) ?? null, cell)) trail.value = cell ? [cell] : [];
  });
}

/** A cell of an attention that is chosen in the map is the one that the attention panel shows. */
export function followHead(): void {
  effect(() => {
    const cell = selected.value;
    const now = graph.peek();
    const found = cell && now && attentionOf(now, cell.tensor);
    if (!found) return;
    const { part, layer, stage } = found;
    attention.value = { ...attention.peek(), part, layer, stage, head: cell.index[0] ?? 0 };
  });
}

/** Another model has other cells: what was pinned or played of the last one goes. */
export function forgetOthers(): void {
  let of = modelId.peek();
  effect(() => {
    if (modelId.value === of) return;
    of = modelId.value;
    pins.value = [];
    timeline.clear();
  });
  effect(() => {
    const none = source.value === null || (!made.value && !run.value?.id);
    if (none && played.peek()) timeline.leave();
  });
}
