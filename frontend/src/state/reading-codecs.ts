/** What the page reads, in its address: the model, the texts, the run, and the tokens where the text alone does not say
 *  them. */

import { computed } from "@preact/signals";
import { codec, plainText, wholeNumbers } from "./codec";
import { readAgain } from "./run";
import { hidden, modelId, readPair, readText, run } from "./store";

export const modelCodec = codec({
  key: "model",
  where: "query",
  ...plainText("model"),
  signal: computed(() => modelId.value ?? undefined),
  history: "push",
});

export const textCodec = codec({
  key: "text",
  where: "fragment",
  read: (from): string | undefined => from.get("text") ?? undefined,
  write: (text, into) => into.set("text", text),
  signal: readText,
  history: "push",
});

/** A second text that was read together with the first. */
export const pairCodec = codec({
  key: "pair",
  where: "fragment",
  read: (from): string | undefined => from.get("pair") || undefined,
  write: (text, into) => {
    if (text) into.set("pair", text);
  },
  signal: computed(() => readPair.value ?? undefined),
  history: "push",
});

/** A run that the server held when the address was written, made over REST. */
export const runCodec = codec({
  key: "run",
  where: "query",
  read: (from): string | undefined => from.get("run") || undefined,
  write: (id, into) => {
    if (id) into.set("run", id);
  },
  signal: computed(() => (run.value?.held && run.value.id ? run.value.id : undefined)),
  history: "push",
});

/** The run whose tokens are more than its text says: some were written, or stand behind a mask. */
const grown = computed(() => {
  const now = run.value;
  const written = now !== null && now.promptLength !== null && now.tokens.length > now.promptLength;
  return written || (now !== null && hidden.value.size > 0) ? now : null;
});

/** Everything read and written so far, verbatim; absent where the text alone says it. */
export const tokensCodec = codec({
  key: "tokens",
  where: "fragment",
  read: (from): readonly number[] | undefined => wholeNumbers(from.get("tokens")),
  write: (tokens, into) => {
    if (tokens.length > 0) into.set("tokens", tokens.join("_"));
  },
  signal: computed(() => grown.value?.tokens.map((token) => token.id)),
  history: "replace",
});

/** The kind of text of each token, where a model tells kinds apart. */
export const kindsCodec = codec({
  key: "kinds",
  where: "fragment",
  read: (from): readonly number[] | undefined => {
    const kinds = wholeNumbers(from.get("kinds"));
    return kinds?.length === wholeNumbers(from.get("tokens"))?.length ? kinds : undefined;
  },
  write: (kinds, into) => {
    if (into.has("tokens") && kinds.some((kind) => kind > 0)) into.set("kinds", kinds.join("_"));
  },
  signal: computed(() => (grown.value ? readAgain(grown.value).kinds : undefined)),
  history: "replace",
});

/** How many of the tokens are the reader's own. */
export const promptCodec = codec({
  key: "prompt",
  where: "fragment",
  read: (from): number | undefined => {
    const prompt = wholeNumbers(from.get("prompt"))?.[0];
    const tokens = wholeNumbers(from.get("tokens"));
    return prompt !== undefined && tokens && prompt <= tokens.length ? prompt : undefined;
  },
  write: (prompt, into) => {
    if (into.has("tokens")) into.set("prompt", `${prompt}`);
  },
  signal: computed(() => grown.value?.promptLength ?? undefined),
  history: "replace",
});
