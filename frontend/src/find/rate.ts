/** Rates how well words match names: from 0 to 1, null where a word matches nothing. */

/** The names of one thing, all in lower case. */
export interface Names {
  /** As it is written in full. */
  readonly whole: readonly string[];
  /** Its short name. */
  readonly leaf: readonly string[];
  /** The pieces that these are made of. */
  readonly segments: readonly string[];
  /** Its other names. */
  readonly other: readonly string[];
}

/** The mean over all words; 0 for none. */
export function rate(words: readonly string[], names: Names): number | null {
  return mean(words, (word) => rateWord(word, names));
}

/** The same for words with one slip of the fingers: a letter wrong, missing, too many, or two swapped. */
export function nearlyMatches(words: readonly string[], names: Names): number | null {
  const pieces = [...names.leaf, ...names.segments, ...names.other];
  return mean(words, (word) => {
    const exact = rateWord(word, names);
    if (exact > 0) return exact;
    return word.length >= 4 && pieces.some((piece) => isOneSlipAway(word, piece)) ? 0.2 : 0;
  });
}

function mean(words: readonly string[], score: (word: string) => number): number | null {
  let sum = 0;
  for (const word of words) {
    const own = score(word);
    if (own === 0) return null;
    sum += own;
  }
  return words.length === 0 ? 0 : sum / words.length;
}

/** One letter alone has to be a name or begin one: it is within nearly every other. */
function rateWord(word: string, { whole, leaf, segments, other }: Names): number {
  if (whole.includes(word)) return 1;
  if (leaf.includes(word)) return 0.9;
  if (other.includes(word)) return 0.8;
  if (segments.includes(word)) return 0.75;
  if (leaf.some((name) => name.startsWith(word))) return 0.65;
  if (word.length < 2) return 0;
  if ([...segments, ...other].some((name) => name.startsWith(word))) return 0.5;
  return whole.some((name) => name.includes(word)) ? 0.35 : 0;
}

function isOneSlipAway(word: string, name: string): boolean {
  if (Math.abs(word.length - name.length) > 1) return false;
  let start = 0;
  while (start < word.length && word[start] === name[start]) start++;
  const rest = (text: string, from: number) => text.slice(from);
  return (
    rest(word, start + 1) === rest(name, start + 1) ||
    rest(word, start + 1) === rest(name, start) ||
    rest(word, start) === rest(name, start + 1) ||
    (word[start] === name[start + 1] &&
      word[start + 1] === name[start] &&
      rest(word, start + 2) === rest(name, start + 2))
  );
}
