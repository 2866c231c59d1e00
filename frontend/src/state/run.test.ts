import { expect, test } from "vitest";
import { formatProbability } from "../format";
import type { ServerMessage, Token } from "../net/types";
import { advance, askedRun, readTokens, writingNext, written } from "./run";

const token = (id: number): Token => ({ id, text: `t${id}`, start: id, end: id + 1 });
const accepted: ServerMessage = {
  type: "accepted",
  request: "r1",
  run: "a",
  model: "sort",
  source: [],
  tokens: [token(0), token(1)],
  token_types: [],
  capacity: 11,
  max_new_tokens: 6,
};
const chosen = (id: number): ServerMessage => ({
  type: "token",
  run: "a",
  step: 1,
  position: 2,
  token: token(id),
  probability: 0.5,
  sampled_probability: 1,
  top: [],
});

test("a run reads, writes and ends", () => {
  const begun = advance(askedRun("r1", "sort", 6), accepted);
  expect([begun.phase, begun.promptLength, begun.capacity]).toEqual(["reading", 2, 11]);
  const grown = advance(begun, chosen(7));
  expect([grown.phase, written(grown), grown.choices.get(2)?.probability]).toEqual(["writing", 1, 0.5]);
  const done = advance(grown, {
    type: "done",
    run: "a",
    reason: "max_new_tokens",
    top: [],
    beam_score: null,
  });
  expect([done.phase, done.reason]).toEqual(["done", "max_new_tokens"]);
});

test("what comes next is known of a token only once it has been read", () => {
  const top = [{ id: 7, text: "t7", logit: 1, probability: 0.5, forbidden: false }];
  const begun = advance(askedRun("r1", "sort", 6), accepted);
  const read = advance(begun, { type: "prompt", run: "a", top, predictions: [] });
  expect(read.top).toEqual(top);
  const grown = advance(read, chosen(7));
  expect(grown.top).toEqual([]);
  expect(advance(grown, { type: "paused", run: "a", top }).top).toEqual(top);
  expect(
    advance(grown, { type: "done", run: "a", reason: "end_of_text", top: [], beam_score: null }).top,
  ).toEqual([]);
});

test("messages of a run left behind change nothing", () => {
  const begun = advance(askedRun("r1", "sort", 6), accepted);
  expect(advance(begun, { ...chosen(7), run: "b" } as ServerMessage)).toBe(begun);
  expect(advance(askedRun("r2", "sort", 6), accepted).id).toBeNull();
});

test("a run that goes on from another keeps what was the reader's and how tokens were chosen", () => {
  const first = advance(advance(askedRun("r1", "sort", 6), accepted), chosen(7));
  const next = advance(askedRun("r2", "sort", 5, first), {
    ...accepted,
    request: "r2",
    run: "c",
    tokens: [token(0), token(1), token(7)],
  } as ServerMessage);
  expect([next.promptLength, next.given, written(next), next.choices.size]).toEqual([2, 3, 0, 1]);
});

test("the last token written fills the capacity and is not read, nor is an end of text", () => {
  const begun = advance(askedRun("r1", "sort", 1), { ...accepted, capacity: 2 } as ServerMessage);
  const full = advance(begun, chosen(7));
  expect([full.tokens.length, readTokens(full).length]).toEqual([3, 2]);
  const ended = advance(advance(advance(askedRun("r1", "sort", 6), accepted), chosen(0)), {
    type: "done",
    run: "a",
    reason: "end_of_text",
    top: [],
    beam_score: null,
  });
  expect(readTokens(ended).map((one) => one.id)).toEqual([0, 1]);
});

test("writing begins, goes on, or begins anew where nothing can follow", () => {
  const begun = advance(askedRun("r1", "sort", 6), accepted);
  const grown = advance(begun, chosen(7));
  const ended = (reason: "max_new_tokens" | "end_of_text" | "context" | "cancelled") =>
    advance(grown, { type: "done", run: "a", reason, top: [], beam_score: null });
  expect([writingNext(begun, 11), writingNext(grown, 11)]).toEqual(["begins", "goes on"]);
  expect(writingNext(ended("max_new_tokens"), 11)).toBe("goes on");
  expect(writingNext(ended("cancelled"), 11)).toBe("goes on");
  expect(writingNext(ended("end_of_text"), 11)).toBe("begins anew");
  expect(writingNext(ended("context"), 11)).toBe("begins anew");
  // Three tokens are more than two positions hold: the last was written and not read.
  expect([writingNext(ended("max_new_tokens"), 2), writingNext(ended("max_new_tokens"), 3)]).toEqual([
    "begins anew",
    "goes on",
  ]);
});

test("a beam search says what decided", () => {
  const begun = advance(askedRun("r1", "sort", 6), accepted);
  const done = advance(begun, {
    type: "done",
    run: "a",
    reason: "max_new_tokens",
    top: [],
    beam_score: -0.25,
  });
  expect([begun.beamScore, done.beamScore]).toEqual([null, -0.25]);
});

test("a token whose probability is not a number is taken in, and said so", () => {
  const begun = advance(askedRun("r1", "sort", 6), accepted);
  const odd = { ...chosen(7), probability: null, sampled_probability: null } as ServerMessage;
  expect(formatProbability(advance(begun, odd).choices.get(2)!.probability)).toBe("not a number");
});
