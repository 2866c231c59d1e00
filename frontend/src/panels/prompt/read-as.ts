/** Words that a tokenizer reads as others: *didn't* as `did not`, a letter without its accent, a word it has no piece
 *  for. What a reader typed and what the model reads are told apart by the bytes that each token stands for. */

import { joined } from "../../characters";
import type { Token } from "../../net/types";

export interface ReadAs {
  /** As it stands in the text. */
  readonly word: string;
  /** As the tokens spell it. */
  readonly reads: string;
  /** The places of its tokens. */
  readonly tokens: readonly number[];
}

/** The words of a text that its tokens spell otherwise; capitals that are dropped are not told. None where the tokens
 *  were not cut from this text. */
export function readAs(text: string, tokens: readonly Token[]): readonly ReadAs[] {
  const bytes = new TextEncoder().encode(text);
  if (tokens.at(-1)?.end !== bytes.length) return [];
  return wordsOf(text).flatMap(({ word, start, end }) => {
    const own = tokens
      .map((token, at) => ({ ...token, at }))
      .filter((one) => one.start < end && one.end > start);
    // A token may hold more than one word: then neither is spelt by itself.
    if (own.length === 0 || own.some((one) => touches(bytes, one, start, end))) return [];
    const reads = spelt(own.map((one) => one.text));
    return same(word, reads) ? [] : [{ word, reads, tokens: own.map(({ at }) => at) }];
  });
}

/** Runs of anything but white space, with their first byte and the byte after them. */
function wordsOf(text: string) {
  const sizeOf = (part: string) => new TextEncoder().encode(part).length;
  return [...text.matchAll(/\S+/gu)].map(({ 0: word, index }) => {
    const start = sizeOf(text.slice(0, index));
    return { word, start, end: start + sizeOf(word) };
  });
}

/** Tells whether a token stands for bytes beyond a word that are no white space around it. */
function touches(bytes: Uint8Array, token: Token, start: number, end: number): boolean {
  const beyond = [...bytes.slice(token.start, start), ...bytes.slice(Math.max(end, token.start), token.end)];
  return new TextDecoder().decode(Uint8Array.from(beyond)).trim() !== "";
}

/** Tokens put together; `##` marks a piece that goes on a word. */
const spelt = (texts: readonly string[]): string =>
  joined(texts.map((text, at) => (at > 0 ? text.replace(/^##(?=.)/, "") : text))).trim();

const same = (word: string, reads: string): boolean => {
  const plain = (text: string) => text.toLowerCase().replace(/^##(?=.)/, "");
  return plain(word) === plain(reads);
};
