/** Writes numbers and token texts, everywhere on the page alike: hover, cells and tables.
 *
 *      formatNumber(-0.12345)   // "−0.1235"
 */

/** Four significant digits with a true minus sign; infinities and not-a-number by their own names. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size >= 1e6 || size < 1e-4
      ? value.toExponential(digits - 1).replace("e+", "e")
      : value.toPrecision(digits).includes("e")
        ? value.toFixed(0)
        : value.toPrecision(digits);
  return text.replaceAll("-", "−");
}

/** A number as it is printed in a cell of the map: `formatNumber` with as many digits, up to `most`, as fit into
 *  `room` characters; where an exponent leaves room for more digits, with an exponent. */
export function printNumber(value: number, room: number, most: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  for (let digits = most; digits > 1; digits--) {
    const plain = formatNumber(value, digits);
    if (plain.length <= room) return plain;
    const short = value
      .toExponential(digits - 1)
      .replace("e+", "e")
      .replaceAll("-", "−");
    if (short.length <= room) return short;
  }
  return formatNumber(value, 1);
}

/** A probability as a share of one: fixed places, so that a column of them lines up. */
export function formatProbability(value: number): string {
  if (Number.isNaN(value)) return "not a number";
  return value > 0 && value < 0.0001 ? "<0.0001" : value.toFixed(4);
}

/** The server's messages are clauses; on the page they are sentences. */
export const asSentence = (message: string): string => (/[.!?…]$/.test(message) ? message : `${message}.`);

const grouped = new Intl.NumberFormat("en-US");

/** Digits in groups of three. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** A piece of a token's text; `mark` where it stands for something that has no picture of its own. */
export interface TokenPart {
  readonly text: string;
  readonly mark: boolean;
}

const VISIBLE: Readonly<Record<string, string>> = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" };

/** A token's text with white space and bytes that are no character made visible. */
export function tokenParts(text: string): readonly TokenPart[] {
  const parts: TokenPart[] = [];
  const add = (piece: string, mark: boolean) => {
    const last = parts.at(-1);
    if (last?.mark === mark) parts[parts.length - 1] = { text: last.text + piece, mark };
    else parts.push({ text: piece, mark });
  };
  for (const match of text.matchAll(/\\x[0-9a-f]{2}|[\s\S]/gu)) {
    const piece = match[0];
    const visible = VISIBLE[piece];
    if (visible !== undefined) add(visible, true);
    else if (piece.length === 4 && piece.startsWith("\\x")) add(piece, true);
    else if (/[\p{Cc}\p{Cf}\p{Z}]/u.test(piece)) add(`\\u${piece.codePointAt(0)!.toString(16)}`, true);
    else add(piece, false);
  }
  return parts.length > 0 ? parts : [{ text: "∅", mark: true }];
}

/** The same as one string, for labels and axes. */
export function tokenText(text: string): string {
  return tokenParts(text)
    .map((part) => part.text)
    .join("");
}
