/** The patience timer: says what the page waits for, should it stay out for long. */

import * as state from "../state/store";

/** After this long without anything, the page says what it waits for. */
const PATIENCE = 4000;

export class Patience {
  #timer = 0;

  /** Starts the wait for `what` anew. */
  await(what: string): void {
    this.end();
    this.#timer = window.setTimeout(() => {
      state.waitingFor.value = what;
    }, PATIENCE);
  }

  /** Ends the wait: what was waited for has come, or nothing can come. */
  end(): void {
    window.clearTimeout(this.#timer);
    if (state.waitingFor.value !== null) state.waitingFor.value = null;
  }
}
