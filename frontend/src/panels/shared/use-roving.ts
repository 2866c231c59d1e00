/** One stop of the Tab key for a row of buttons; within it the arrow keys, Home and End go from one to the next. */

import { useSignal } from "@preact/signals";

export interface Roving {
  /** 0 for the button that the Tab key comes to, -1 for all others. */
  tabIndex(at: number): 0 | -1;
  /** The focus has come to a button. */
  come(at: number): void;
  press(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** For `count` buttons, in order the only ones in the element whose keys are listened to. */
export function useRoving(count: number): Roving {
  const here = useSignal(0);
  const at = Math.min(here.value, count - 1);
  return {
    tabIndex: (one) => (one === at ? 0 : -1),
    come(one) {
      here.value = one;
    },
    press(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const step = STEPS[event.key];
      const to =
        event.key === "Home" ? 0 : event.key === "End" ? count - 1 : step === undefined ? null : at + step;
      if (to === null) return;
      event.preventDefault();
      const buttons = event.currentTarget.querySelectorAll("button");
      buttons[Math.max(0, Math.min(count - 1, to))]?.focus();
    },
  };
}
