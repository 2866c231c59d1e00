import { expect, test } from "vitest";
import { calledAfter, joined, withCharacters } from "./characters";

const row = (text: string) => text.split("|");

test("bytes of one character, in tokens in a row, are told as that character", () => {
  expect(withCharacters(row("caf|\\xc3|\\xa9|s"))).toEqual(["caf", "é(1/2)", "é(2/2)", "s"]);
  expect(withCharacters(row(" \\xf0|\\x9f\\x98|\\x80!"))).toEqual([" 😀(1/4)", "😀(2/4)😀(3/4)", "😀(4/4)!"]);
  expect(withCharacters(row("\\xe4\\xbd|\\xa0|\\xe5\\xa5\\xbd"))[1]).toBe("你(3/3)");
});

test("bytes that spell nothing stay as they are", () => {
  const texts = row("\\xc3|a|\\xa9|\\xe4\\xbd|\\xff|\\xc3 |\\xa9");
  expect(withCharacters(texts)).toEqual(texts);
});

test("a text put together has its characters", () => {
  expect(joined(row("Il |\\xc3|\\xa9|tait"))).toBe("Il était");
  expect(joined(row("a(1/2)|\\xc3"))).toBe("a(1/2)\\xc3");
});

test("what may come next ends the character that stands before it", () => {
  expect(calledAfter(row("caf|\\xc3"), "\\xa9")).toBe("é(2/2)");
  expect(calledAfter(row("caf|\\xc3"), "\\xc3")).toBe("\\xc3");
});
