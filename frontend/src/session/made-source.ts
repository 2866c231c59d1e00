/** Shows a source of its own in place of the server's: a lesson's, a lab's, a test's. */

import { effect, untracked } from "@preact/signals";
import type { NumbersSource } from "../sources/port";
import { made } from "../state/source";
import * as state from "../state/store";
import type { Feed } from "./feed";
import type { Picture } from "./picture";
import { type RunControl, showNothingYet } from "./run-control";

export class MadeSource {
  #stop: () => void = () => undefined;

  constructor(
    private readonly runs: RunControl,
    private readonly picture: Picture,
    private readonly feed: Feed,
  ) {}

  /** Draws a source on the map from its first number on, and gives its text room as it grows. */
  show(source: NumbersSource): void {
    this.#stop();
    this.runs.leave();
    showNoModel();
    made.value = source;
    state.graph.value = source.graph;
    let isNew = true;
    this.#stop = effect(() => {
      const { tokens, source: ofSource } = source.text.value;
      const of = { model: source.key, capacity: tokens.length, tokens, source: ofSource };
      untracked(() => {
        if (isNew) this.picture.begin(of);
        else this.picture.grow(of);
        if (isNew) this.feed.begin();
        else this.feed.changed();
      });
      isNew = false;
    });
  }

  /** Makes room for the server's numbers. */
  leave(): void {
    this.#stop();
    this.#stop = () => undefined;
    made.value = null;
  }
}

function showNoModel(): void {
  state.modelId.value = null;
  state.run.value = null;
  state.selected.value = null;
  state.hovered.value = null;
  showNothingYet();
}
