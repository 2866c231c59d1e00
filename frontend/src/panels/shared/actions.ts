/** What the panels can do beside writing to the store: talk through the session, and move the map. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { findTensor } from "../../graph/shape";
import type { FlightPort, MapView, PickPort } from "../../scene/ports";
import type { LessonGuide } from "../../session/lesson-guide";
import type { Session } from "../../session/session";
import { type Cell, graph, panel, selected } from "../../state/store";

export interface Actions {
  readonly session: Session;
  readonly lessons: LessonGuide;
  /** Null without WebGL2. */
  readonly map: MapView | null;
}

export const ActionsContext = createContext<Actions | null>(null);

export function useActions(): Actions {
  const actions = useContext(ActionsContext);
  if (!actions) throw new Error("a panel is drawn outside the page");
  return actions;
}

/** Chooses a cell, outlines it in the map, and flies there if asked. */
export function choose(map: (PickPort & FlightPort) | null, cell: Cell | null, fly = false): void {
  selected.value = cell;
  map?.select(cell);
  if (cell && fly) map?.flyTo(cell);
}

/** Chooses the first cell of a tensor and flies to it, with the inspector open. */
export function goTo(map: (PickPort & FlightPort) | null, name: string): void {
  const now = graph.value;
  const tensor = now && findTensor(now, name);
  if (!tensor) return;
  panel.value = "inspector";
  choose(map, { tensor: name, index: tensor.axes.map(() => 0) }, true);
}
