/** Colours between two or three others: what a heat map's numbers look like in the page's theme. */

export type Rgb = readonly [number, number, number];

/** `#rrggbb` as numbers. */
export function rgbOf(colour: string): Rgb {
  const number = Number.parseInt(colour.trim().replace("#", ""), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

/** The colour at a share of the way along evenly spaced stops. */
export function between(stops: readonly Rgb[], share: number): Rgb {
  const along = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const at = Math.min(stops.length - 2, Math.floor(along));
  const [from, to, rest] = [stops[at]!, stops[at + 1]!, along - at];
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * rest);
  return [mix(0), mix(1), mix(2)];
}

/** How light a colour is, 0 to 1 (WCAG 2, relative luminance). */
export function lightness(colour: Rgb): number {
  const [r, g, b] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Whichever of two inks stands out more from a ground (WCAG 2, contrast ratio). */
export function readableOn(ground: Rgb, inks: readonly [string, string]): string {
  const contrast = (ink: string) => {
    const [a, b] = [lightness(ground), lightness(rgbOf(ink))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return contrast(inks[0]) >= contrast(inks[1]) ? inks[0] : inks[1];
}

export const css = ([r, g, b]: Rgb): string => `rgb(${r}, ${g}, ${b})`;
