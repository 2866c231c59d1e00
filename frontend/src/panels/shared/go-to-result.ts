/** Going to what was found: the eye flies there, the cell is chosen, and whole rows and columns are lit. */

import type { Find } from "../../find/types";
import { isTokenAxis } from "../../graph/shape";
import type { FlightPort, PickPort } from "../../scene/ports";
import { openLenses, withLens } from "../../state/lenses";
import { phoneView, toggleSide } from "../../state/shell";
import { attention, graph, marked, panel, position } from "../../state/store";
import { choose } from "./actions";
import { columnOf } from "./column-of";

export function visitFind(map: (PickPort & FlightPort) | null, { target }: Find): void {
  switch (target.kind) {
    case "region": {
      const { id, layer, kind, stack } = target.region;
      choose(map, null);
      marked.value = [];
      const head = Number(id.split(".").at(-1));
      if (kind === "head" && layer !== null && stack === null)
        attention.value = { ...attention.value, layer, head };
      map?.flyTo({ region: id });
      return;
    }
    case "cells":
      panel.value = "inspector";
      visitCells(map, target.tensor, target.index);
      return;
    case "lens":
      openLenses.value = withLens(openLenses.value, target.name);
      panel.value = "lenses";
      toggleSide("right", true);
      phoneView.value = "reading";
      return;
    case "field":
      toggleSide("left", true);
      phoneView.value = "text";
      requestAnimationFrame(() =>
        document.querySelector<HTMLInputElement>(`.sampling input[name="${target.name}"]`)?.focus(),
      );
      return;
    case "position":
      visitPosition(map, target.position, target.ofSource);
  }
}

function visitCells(
  map: (PickPort & FlightPort) | null,
  tensor: string,
  index: readonly (number | null)[],
): void {
  choose(map, { tensor, index: index.map((at) => at ?? 0) });
  const some = index.some((at) => at !== null);
  marked.value = some && index.includes(null) ? [{ tensor, index }] : [];
  map?.flyTo(some ? { tensor, index } : { tensor });
}

/** A position's column in all that has one, seen where the text enters the model. */
function visitPosition(map: (PickPort & FlightPort) | null, at: number, ofSource: boolean): void {
  const first = graph.value?.tensors.find(
    ({ role, axes, source_axes }) =>
      role === "activation" && axes[0] === "pos" && source_axes.includes("pos") === ofSource,
  );
  if (!first) return;
  const index = first.axes.map((axis) => (isTokenAxis(axis) ? at : null));
  panel.value = "inspector";
  visitCells(map, first.name, index);
  if (!ofSource) position.value = at;
  marked.value = columnOf(at, ofSource);
}
