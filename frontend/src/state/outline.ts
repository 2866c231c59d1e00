/** Which nodes of the outline stand open, and which one the keyboard is on. */

import { signal } from "@preact/signals";

export const openNodes = signal<ReadonlySet<string>>(new Set(["model"]));
/** The node that takes part in the tab order; the root before anybody has moved. */
export const focusedNode = signal("model");

export function setOpen(id: string, open: boolean): void {
  const next = new Set(openNodes.value);
  if (open) next.add(id);
  else next.delete(id);
  openNodes.value = next;
}

/** Opens all of these nodes. */
export function openAll(ids: readonly string[]): void {
  if (ids.every((id) => openNodes.value.has(id))) return;
  openNodes.value = new Set([...openNodes.value, ...ids]);
}
