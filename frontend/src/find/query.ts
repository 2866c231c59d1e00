/** Reads a search: words, and the shorthand of the field for where to look (`L3H5`, `q[4]`, `' cat'`).
 *
 *  Pure: text in, parts out. What the parts find is find.ts's work.
 */

/** One place along an axis, or all of it (null). Negative ones count from the end, as in Python. */
export type AxisPlace = number | null;

/** A token named by its text, or by its id. */
export type TokenTerm =
  | { readonly text: string; readonly quoted: boolean }
  | { readonly id: number; readonly quoted: true };

export interface Query {
  /** The words that a name has to match, all of them; in lower case. */
  readonly words: readonly string[];
  readonly layer: number | null;
  readonly head: number | null;
  readonly stack: "encoder" | "decoder" | null;
  /** A position of the text. */
  readonly position: number | null;
  /** The token named in quotation marks or by its id. */
  readonly token: TokenTerm | null;
  /** The indices in brackets, in the order of the axes that nothing else fixes. */
  readonly index: readonly AxisPlace[] | null;
}

export const EMPTY: Query = {
  words: [],
  layer: null,
  head: null,
  stack: null,
  position: null,
  token: null,
  index: null,
};

/** Quoted text, a bracket, `#id`, `@position`, or a word; a quotation or bracket still being typed may stay open. */
const PIECE =
  /(?<=^|\s)(?:'([^']*)'?|"([^"]*)"?|“([^”]*)”?|‘([^’]*)’?)|\[([^\]]*)\]?|#(\d+)|@(\d+)|([^\s[\]#@]+)/gu;
const BOTH = /^l(\d+)[.\s]?h(\d+)$|^(\d+)\.(\d+)$/;
const LAYER = /^(?:l|layer|block)(\d+)$/;
const HEAD = /^(?:h|head)(\d+)$/;
const COUNTED: Readonly<Record<string, "layer" | "head" | "position">> = {
  l: "layer",
  layer: "layer",
  block: "layer",
  h: "head",
  head: "head",
  pos: "position",
  position: "position",
};
const STACKS: Readonly<Record<string, "encoder" | "decoder">> = {
  enc: "encoder",
  encoder: "encoder",
  dec: "decoder",
  decoder: "decoder",
};

/** The parts of a search. Nothing is refused: what is no shorthand is a word. */
export function parseQuery(text: string): Query {
  const query: { -readonly [Part in keyof Query]: Query[Part] } = { ...EMPTY };
  const words: string[] = [];
  for (const [, single, double, curly, curlySingle, bracket, id, at, word] of text.matchAll(PIECE)) {
    const quoted = single ?? double ?? curly ?? curlySingle;
    if (quoted !== undefined) query.token = quoted === "" ? query.token : { text: quoted, quoted: true };
    else if (bracket !== undefined) query.index = parseIndex(bracket);
    else if (id !== undefined) query.token = { id: Number(id), quoted: true };
    else if (at !== undefined) query.position = Number(at);
    else if (word !== undefined) words.push(word.toLowerCase());
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const both = BOTH.exec(word);
    const counted = COUNTED[word];
    const next = words[i + 1];
    if (both) {
      query.layer = Number(both[1] ?? both[3]);
      query.head = Number(both[2] ?? both[4]);
    } else if (LAYER.test(word)) query.layer = Number(LAYER.exec(word)![1]);
    else if (HEAD.test(word)) query.head = Number(HEAD.exec(word)![1]);
    else if (counted && next !== undefined && /^\d+$/.test(next)) {
      query[counted] = Number(next);
      i++;
    } else if (STACKS[word]) query.stack = STACKS[word];
    else query.words = [...query.words, word];
  }
  return query;
}

/** `5, 1, :` as places along axes; null where it is no list of these. */
export function parseIndex(text: string): readonly AxisPlace[] | null {
  if (text.trim() === "") return null;
  const parts = text
    .trim()
    .replace(/,\s*$/, "")
    .split(/\s*[,_]\s*|\s+/);
  const places = parts.map((part): AxisPlace | undefined =>
    part === ":" ? null : /^[-−]?\d+$/.test(part) ? Number(part.replace("−", "-")) : undefined,
  );
  return places.every((place) => place !== undefined) ? places : null;
}

/** Tells whether a search says anything beside words: then it is no word to look up in the vocabulary. */
export const isPlain = ({ layer, head, stack, position, token, index }: Query): boolean =>
  [layer, head, stack, position, token, index].every((part) => part === null);

/** The texts that the vocabulary may have a token for: what stands in quotation marks, or a plain search itself,
 *  also as it would stand within a text, after a space. */
export function textsToLookUp(text: string): readonly string[] {
  const query = parseQuery(text);
  const named = query.token && "text" in query.token ? query.token.text : null;
  const asked = named ?? (isPlain(query) ? text.trim() : "");
  if (asked === "" || asked.length > 40) return [];
  return /^\s/.test(asked) ? [asked] : [asked, ` ${asked}`];
}
