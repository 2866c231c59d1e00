/** The colours of the map, light and dark: zero is paper, and every role has hues of its own. */

import type { Role } from "../graph/types";
import type { ThemeName } from "./types";

export interface Theme {
  readonly paper: string;
  readonly ink: string;
  readonly soft: string;
  readonly rule: string;
  readonly positive: Readonly<Record<Role, string>>;
  readonly negative: Readonly<Record<Role, string>>;
  readonly notANumber: string;
}

export const roles: readonly Role[] = ["weight", "activation", "probability", "summary"];

export const themes: Readonly<Record<ThemeName, Theme>> = {
  light: {
    paper: "#FAF8F4",
    ink: "#1F2328",
    soft: "#6B6F76",
    rule: "#DDD8CE",
    positive: { weight: "#1F5FD6", activation: "#00857A", probability: "#5B2BBF", summary: "#5A6068" },
    negative: { weight: "#C77700", activation: "#C2185B", probability: "#5B2BBF", summary: "#5A6068" },
    notANumber: "#E000E0",
  },
  dark: {
    paper: "#14161A",
    ink: "#E8E6E1",
    soft: "#9A9FA8",
    rule: "#30353D",
    positive: { weight: "#6BA2FF", activation: "#35D0BF", probability: "#A88BFF", summary: "#AEB4BD" },
    negative: { weight: "#FFB14A", activation: "#FF6FA5", probability: "#A88BFF", summary: "#AEB4BD" },
    notANumber: "#FF3DFF",
  },
};

/** The theme for differences: probabilities and summaries have a sign then, and the hues of activations. */
export function differenceTheme({ positive, negative, ...theme }: Theme): Theme {
  const signed = (hues: Theme["positive"]) => ({
    ...hues,
    probability: hues.activation,
    summary: hues.activation,
  });
  return { ...theme, positive: signed(positive), negative: signed(negative) };
}

/** Red, green and blue from 0 to 1, as displayed. */
export function rgb(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}
