/** Tokens that are bytes of one character, told as that character: of several tokens in a row only their bytes together
 *  spell it. */

const ESCAPE = /\\x([0-9a-f]{2})/g;

/** A byte written as an escape: which token it is in, and where in its text. */
interface Byte {
  readonly token: number;
  readonly at: number;
  readonly value: number;
}

/** The texts with every byte of a character that several bytes spell written as `é(1/2)`: the character, which of its
 *  bytes, and of how many. Bytes that spell none stay as they are. */
export function withCharacters(texts: readonly string[]): readonly string[] {
  const found = texts.flatMap((text, token) =>
    [...text.matchAll(ESCAPE)].map(
      (match): Byte => ({ token, at: match.index, value: Number.parseInt(match[1]!, 16) }),
    ),
  );
  const names = new Map<string, string>();
  for (let first = 0; first < found.length; ) {
    const bytes = found.slice(first, first + lengthOf(found[first]!.value));
    const character = inOneRow(bytes, texts) ? decoded(bytes.map(({ value }) => value)) : null;
    if (character === null) {
      first += 1;
      continue;
    }
    for (const [n, { token, at }] of bytes.entries())
      names.set(`${token} ${at}`, `${character}(${n + 1}/${bytes.length})`);
    first += bytes.length;
  }
  return texts.map((text, token) =>
    text.replace(ESCAPE, (byte, _, at: number) => names.get(`${token} ${at}`) ?? byte),
  );
}

/** A token by the name that it has among its neighbours: `spells` is what its bytes help to spell, as far as several
 *  tokens spell it together; else its text. */
export type Called<T extends { readonly text: string }> = T & { readonly spells: string };

/** Tokens by their names: `text` is what `withCharacters` makes of it. */
export function calledTokens<T extends { readonly text: string }>(
  tokens: readonly T[],
): readonly Called<T>[] {
  const called = withCharacters(tokens.map(({ text }) => text));
  return tokens.map((token, at) => {
    const text = called[at]!;
    const spells =
      text === token.text ? text : text.replace(PART, (_, character, n) => (n === "1" ? character : ""));
    return { ...token, text, spells: spells === "" ? text.replace(PART, "$1") : spells };
  });
}

const PART = /(.)\((\d)\/(\d)\)/gu;

/** `byte 1 of 2 of “é”`; empty for a token that is no part of a character. */
export function bytesInWords({ text, spells }: Called<{ readonly text: string }>): string {
  if (text === spells) return "";
  const parts = [...text.matchAll(PART)];
  const [, character, , of] = parts[0] ?? [];
  const own = parts.filter((part) => part[1] === character).map((part) => part[2]);
  return character ? `${own.length > 1 ? "bytes" : "byte"} ${own.join(", ")} of ${of} of “${character}”` : "";
}

/** The text of tokens put together; bytes in a row that spell characters are read as these. */
export const joined = (texts: readonly string[]): string =>
  texts.join("").replace(/(?:\\x[0-9a-f]{2})+/g, (escapes) => {
    const bytes = [...escapes.matchAll(ESCAPE)].map((match) => Number.parseInt(match[1]!, 16));
    return decoded(bytes) ?? escapes;
  });

/** Names a token that comes after others: it may end the character that they began. */
export const calledAfter = (texts: readonly string[], next: string): string =>
  withCharacters([...texts.slice(-3), next]).at(-1)!;

/** Counts the bytes of a character that begins with this one; 0 for a byte that begins none. */
const lengthOf = (byte: number): number =>
  byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;

/** Tells whether nothing stands between the bytes. */
function inOneRow(bytes: readonly Byte[], texts: readonly string[]): boolean {
  if (bytes.length === 0 || bytes.length < lengthOf(bytes[0]!.value)) return false;
  return bytes.slice(1).every(({ token, at }, n) => {
    const before = bytes[n]!;
    const end = before.at + 4;
    if (token === before.token) return at === end;
    const empty = texts.slice(before.token + 1, token).every((text) => text === "");
    return empty && at === 0 && end === texts[before.token]!.length;
  });
}

function decoded(bytes: readonly number[]): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}
