import { expect, it } from "vitest";
import { decoderGraph, SPECS } from "../graph/fixtures";
import { learnedNumbers, titleOf } from "./naming";

it("counts every learned number once, as the models' own cards do", () => {
  expect(learnedNumbers(decoderGraph({ ...SPECS.sort!, tied: true }))).toBe(85_584);
  expect(learnedNumbers(decoderGraph(SPECS.stories!))).toBe(3_505_152);
});

it("titles a model by its own name and words, the shorter the less room there is", () => {
  const title = titleOf(
    { title: "Sort", description: "Puts letters in order." },
    decoderGraph({ ...SPECS.sort!, tied: true }),
  );
  expect([title.name, title.about]).toEqual(["Sort", "Puts letters in order."]);
  expect(title.numbers[0]).toBe("85,584 numbers learned, all of them here: each square is one.");
  expect(title.numbers.map((text) => text.length)).toEqual(
    [...title.numbers.map((text) => text.length)].sort((a, b) => b - a),
  );
});
