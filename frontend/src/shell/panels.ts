/** The panels of the dock, in the order of their tabs. The first is shown where an address names none. */

import { computed } from "@preact/signals";
import { ATTENTION_PANEL } from "../panels/attention/attention";
import { INSPECTOR_PANEL } from "../panels/explain/inspector";
import { PINS_PANEL } from "../panels/explain/pins";
import { HELP_PANEL } from "../panels/guide/help";
import { LENSES_PANEL } from "../panels/lenses/lenses";
import { OUTLINE_PANEL } from "../panels/outline/outline";
import type { Panel } from "../panels/shared/panel";
import { panel } from "../state/store";

export const PANELS: readonly Panel[] = [
  INSPECTOR_PANEL,
  PINS_PANEL,
  ATTENTION_PANEL,
  LENSES_PANEL,
  OUTLINE_PANEL,
  HELP_PANEL,
];

/** The panels whose tabs are there now. */
export const offeredPanels = computed(() => PANELS.filter(({ isOffered }) => isOffered?.() ?? true));

/** The panel that is open: the one that the page or its address asks for, or the first where there is no such. */
export const openPanel = computed(
  () => offeredPanels.value.find(({ id }) => id === panel.value) ?? offeredPanels.value[0]!,
);

/** Opens the panel of a key; false where no panel has it. */
export function openByKey(key: string): boolean {
  const asked = offeredPanels.value.find((one) => one.key === key);
  if (asked) panel.value = asked.id;
  return asked !== undefined;
}

/** Opens the first panel in place of one that an address names and nobody has. */
export function forgetUnknownPanel(): void {
  if (!PANELS.some(({ id }) => id === panel.value)) panel.value = PANELS[0]!.id;
}
