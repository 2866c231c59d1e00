/** Feeds the map with the numbers of what is drawn, and notes what has come. */

import { findTensor } from "../graph/shape";
import type { Subscriber, Subscription } from "../sources/port";
import { drawn } from "../state/source";
import * as state from "../state/store";

/** What takes nothing: there is no map without WebGL2. */
const NO_MAP: Subscriber = {
  wantedActivations: () => [],
  wantedTiles: () => [],
  wantedCells: () => [],
  applyRows: () => undefined,
  applyTile: () => undefined,
  applyCells: () => undefined,
};

export class Feed {
  #subscription: Subscription | null = null;
  readonly #sink: Subscriber;

  constructor(
    map: Subscriber | null,
    /** Whether tiles need not be asked for yet: thumbnails that hold the same numbers are coming. */
    expectsThumbnails: () => boolean,
  ) {
    this.#sink = counting(map ?? NO_MAP, expectsThumbnails);
  }

  /** Begins with the source that is drawn now, from its first row. */
  begin(): void {
    this.#subscription?.stop();
    this.#subscription = drawn.peek()?.subscribe(this.#sink) ?? null;
  }

  /** The camera or the layout changed, and with it what the map lacks. */
  changed(): void {
    this.#subscription?.changed();
  }
}

/** Notes how far a pass has come by what has come of it; weights are there from the beginning. */
function reach(tensor: string): void {
  const info = state.graph.peek() && findTensor(state.graph.peek()!, tensor);
  if (info && info.role !== "weight") state.reach(tensor);
}

/** The map, with everything that it takes noted in the store. */
function counting(map: Subscriber, expectsThumbnails: () => boolean): Subscriber {
  return {
    wantedActivations: () => map.wantedActivations(),
    wantedTiles: () => (expectsThumbnails() ? [] : map.wantedTiles()),
    wantedCells: () => map.wantedCells(),
    applyRows: (header, values) => {
      map.applyRows(header, values);
      state.framesTaken.value += 1;
      state.rowsTaken(header.name).value += 1;
      reach(header.name);
      if (!state.arrived.value.has(header.name))
        state.arrived.value = new Set(state.arrived.value).add(header.name);
    },
    applyTile: (header, values) => {
      map.applyTile(header, values);
      state.framesTaken.value += 1;
      reach(header.name);
    },
    applyCells: (header, values) => {
      map.applyCells(header, values);
      state.framesTaken.value += 1;
      reach(header.name);
    },
  };
}
