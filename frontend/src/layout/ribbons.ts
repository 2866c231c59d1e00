import type { PlacedSection } from "./columns";
import type { Drawing } from "./sheet";
import type { Ribbon } from "./types";
export function ribbonsOf(_drawing: Drawing, _placed: readonly PlacedSection[]): readonly Ribbon[] {
  return [];
}
