/** Tokens among what is found: where they stand in the text, and what the vocabulary holds of them. */

import { bytesInWords, type Called, calledTokens } from "../characters";
import { tokenText } from "../format";
import type { TensorInfo } from "../graph/types";
import type { Word } from "../net/types";
import { isToken } from "./axes";
import { isPlain, type Query, textsToLookUp } from "./query";
import type { CalledScope, Find } from "./types";

/** Below zero: what is of use only where nothing else is found. */
const LAST_RESORT = -1;

/** Positions of the text (and of the source) whose token is meant: named, or with the word within it. */
export function findPositions(query: Query, { tokens, source }: CalledScope): readonly Find[] {
  const named = query.words.length === 0 ? query.token : null;
  const word = isPlain(query) && query.words.length === 1 ? query.words[0]! : null;
  const at = onlyPosition(query);
  if (!named && word === null && at === null) return [];
  const among = (all: readonly Called<Word>[], ofSource: boolean): readonly Find[] =>
    all.flatMap((token, position) => {
      const text = token.spells.trim().toLowerCase();
      const score =
        (!ofSource && position === at) || (named && isToken(token, named))
          ? 1.2
          : word !== null && text === word
            ? 0.85
            : word !== null && word.length > 1 && text.includes(word)
              ? 0.45
              : 0;
      return score > 0 ? [positionFind(token, position, ofSource, word, score - position / 1e5)] : [];
    });
  return [...among(tokens, false), ...among(source, true)];
}

/** A search for a position and nothing else. */
const onlyPosition = (query: Query): number | null =>
  isPlain({ ...query, position: null }) && query.words.length === 0 ? query.position : null;

function positionFind(
  token: Called<Word>,
  position: number,
  ofSource: boolean,
  word: string | null,
  score: number,
): Find {
  const title = `“${tokenText(token.text)}”`;
  const start = word === null ? 0 : title.toLowerCase().indexOf(word);
  return {
    key: `${ofSource ? "source" : "text"} ${position}`,
    title,
    marks: start < 0 ? [] : [[start, word === null ? title.length : start + word.length]],
    note: `${ofSource ? "source position" : "position"} ${position} of the text · its column${told(token)}`,
    meaning: "",
    role: "activation",
    target: { kind: "position", position, ofSource },
    score,
  };
}

/** The rows of the embedding, and the columns of the unembedding, of the tokens that a text is cut into. */
export function findVocabulary(text: string, query: Query, scope: CalledScope): readonly Find[] {
  if (query.words.length > 0 && !isPlain(query)) return [];
  const id = query.token && "id" in query.token ? query.token.id : null;
  const tables = scope.graph.tensors.filter(
    ({ role, axes }) => role === "weight" && axes.includes("d_vocab") && axes.length > 1,
  );
  if (id !== null) {
    const known = [...scope.tokens, ...scope.source].find((one) => one.id === id);
    return tables.flatMap((table) =>
      vocabularyFind(table, id, known?.text ?? null, known ? told(known) : "", 1.1),
    );
  }
  const sure = query.token ? 1.1 : 0.6;
  const seen = new Set<number>();
  const texts = textsToLookUp(text);
  const whole = texts.some((asked) => scope.vocabulary.get(asked)?.length === 1);
  return texts.flatMap((asked, order) => {
    const cut = calledTokens(scope.vocabulary.get(asked) ?? []);
    const isCharacter = [...asked].length === 1;
    // Pieces are worth naming only where no token is all of it.
    if (whole && cut.length > 1) return [];
    return cut.slice(0, 6).flatMap((token, piece) => {
      if (seen.has(token.id)) return [];
      seen.add(token.id);
      const piecesOf =
        cut.length > 1 ? ` · piece ${piece + 1} of ${cut.length} of “${tokenText(asked)}”` : "";
      const note = told(token) || piecesOf;
      const score =
        (cut.length === 1 || isCharacter ? sure : query.token ? 0.3 : LAST_RESORT) -
        order / 100 -
        piece / 1000;
      return tables.flatMap((table) => vocabularyFind(table, token.id, token.text, note, score));
    });
  });
}

/** Says which byte of a character a token is, to go on a note. */
function told(token: Called<Word>): string {
  const words = bytesInWords(token);
  return words === "" ? "" : ` · ${words}`;
}

function vocabularyFind(
  table: TensorInfo,
  id: number,
  text: string | null,
  note: string,
  score: number,
): readonly Find[] {
  const along = table.axes.indexOf("d_vocab");
  if (id >= table.shape[along]!) return [];
  const index = table.axes.map((_, axis) => (axis === along ? id : null));
  const title = `${text === null ? `token ${id}` : `“${tokenText(text)}”`} in ${table.name}`;
  return [
    {
      key: `${table.name} ${id}${note}`,
      title,
      marks: [[0, title.indexOf(" in ")]],
      note: `${along === 0 ? "row" : "column"} ${id} · its ${table.name === "W_U" ? "unembedding" : "embedding"}${note}`,
      meaning: "",
      role: "weight",
      target: { kind: "cells", tensor: table.name, index },
      score: score - (table.name === "W_E" ? 0 : 0.005),
    },
  ];
}
