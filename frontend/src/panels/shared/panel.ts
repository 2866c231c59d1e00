/** A panel of the dock, as one record. A room declares its own beside its component, and shell/panels.ts lists it: tabs,
 *  keys and the address go by that list.
 *
 *      export const LENSES_PANEL: Panel = { id: "lenses", title: "Lenses", Component: Lenses };
 */

import type { ComponentType } from "preact";

export interface Panel {
  /** Its name in the address: `?panel=lenses`. */
  readonly id: string;
  /** The words on its tab. */
  readonly title: string;
  /** What screen readers say of the tab, where its words are a sign. */
  readonly label?: string;
  /** The key that opens it. */
  readonly key?: string;
  /** A number shown on the tab while it is not 0, such as how many cells are pinned. */
  readonly count?: () => number;
  /** When its tab is there; always, where this is left out. */
  readonly isOffered?: () => boolean;
  readonly Component: ComponentType;
}
