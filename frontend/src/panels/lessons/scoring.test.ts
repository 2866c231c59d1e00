import { describe, expect, it } from "vitest";
import type { ResolvedCheck, ResolvedPredict } from "../../net/contract.gen";
import { readNumber, scoreCheck, scoreNumber, scoreOrder, scoreToken } from "./scoring";

const guess = (parts: Partial<ResolvedPredict>): ResolvedPredict => ({
  kind: "token",
  words: [],
  truth: [],
  offered: [],
  labels: [],
  row: null,
  shares: [],
  low: 0,
  high: 1,
  ...parts,
});
const question = (parts: Partial<ResolvedCheck>): ResolvedCheck => ({
  kind: "number",
  words: [],
  key: 0,
  within: 0,
  choices: [],
  offered: [],
  labels: [],
  row: null,
  ...parts,
});

describe("a guess", () => {
  it("of a token is scored by the logarithm of its share", () => {
    const of = guess({ truth: [7], offered: [7, 9], shares: [0.5, 0.25] });
    expect(scoreToken(of, 0)).toEqual({ right: true, loss: -Math.log(0.5), given: [0] });
    expect(scoreToken(of, 1)).toEqual({ right: false, loss: -Math.log(0.25), given: [1] });
    expect(scoreToken({ ...of, shares: [1, 0] }, 1).loss).toBeCloseTo(13.8155, 3);
  });
  it("of a number is right within a tenth of its bounds", () => {
    expect(scoreNumber(guess({ truth: [0.4] }), 0.49).right).toBe(true);
    expect(scoreNumber(guess({ truth: [0.4] }), 0.51).right).toBe(false);
  });
  it("of an order is right where values rise", () => {
    expect(scoreOrder(guess({ truth: [3, 1, 2] }), [1, 2, 0]).right).toBe(true);
    expect(scoreOrder(guess({ truth: [3, 1, 2] }), [0, 1, 2]).right).toBe(false);
  });
});

describe("an answer", () => {
  it("is a number within its bounds, or to the digits shown", () => {
    expect(scoreCheck(question({ key: 192 }), 192).right).toBe(true);
    expect(scoreCheck(question({ key: 192 }), 191).right).toBe(false);
    expect(scoreCheck(question({ key: 0.88079, within: 0.005 }), 0.88).right).toBe(true);
    expect(scoreCheck(question({ kind: "choice", key: 2 }), 1).right).toBe(false);
  });
  it("is read as people write numbers", () => {
    expect(["1,234", "0,5", "−3", "12 %", "7,087,872", "x", ""].map(readNumber)).toEqual([
      1234,
      0.5,
      -3,
      0.12,
      7087872,
      null,
      null,
    ]);
  });
});
