/** The colour of a number beside the map: the same as of its cell on the map. */

import type { Role } from "../../graph/types";
import { themes } from "../../scene/themes";
import type { ThemeName } from "../../scene/types";

/** Zero is paper, `scale` and beyond is the full hue of the role. */
export function cellColour(theme: ThemeName, role: Role, value: number, scale: number): string {
  const { paper, rule, positive, negative, notANumber } = themes[theme];
  if (Number.isNaN(value)) return notANumber;
  if (!Number.isFinite(value)) return mixed(paper, rule, 0.55);
  const hue = value < 0 ? negative[role] : positive[role];
  return mixed(paper, hue, Math.min(1, Math.abs(value) / (scale > 0 ? scale : 1)));
}

function mixed(from: string, to: string, share: number): string {
  const part = (colour: string, at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) =>
    Math.round(part(from, at) + (part(to, at) - part(from, at)) * share)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${parts.join("")}`;
}
