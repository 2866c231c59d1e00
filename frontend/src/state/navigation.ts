/** Finding one's way: the search, and the small overview of the map. */

import { signal } from "@preact/signals";

/** What stands in the search when it opens; null while it is closed. */
export const searching = signal<string | null>(null);

/** Whether the overview is wanted; a window too narrow for it has none all the same. */
export const overviewShown = signal(true);
