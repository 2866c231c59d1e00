"""Reads the words of a lesson in one language: Markdown headings for its parts, paragraphs, and live numbers.

    # First steps
    What you will see in ten minutes.

    ## next: The next token
    After *[[word(last)]]* the model gives [[token(best)]] a share of [[probabilities[last, best] | %1]].

    ### hint
    Look at the panel on the right.

`## id: Title` begins the step of that id. Under it `### predict`, `### do`, `### check` (whose list items are the
choices), up to three `### hint`, and any number of `### faq: question`. `[[expression | format]]` is a live number;
`[[words => expression]]` are words that light what they name. `*so*` is stressed, `` `so` `` a name, `$so$` a formula.
Everything else is text: no markup of its own reaches the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from .errors import ExpressionError, LessonError
from .expression import names_called, parse
from .functions import FUNCTIONS

_STEP = re.compile(r"##\s+([a-z0-9-]+):\s*(.+)")
_PART = re.compile(r"###\s+(predict|do|check|hint|faq)(?::\s*(.+))?")
_INLINE = re.compile(r"\*([^*\n]+)\*|`([^`\n]+)`|\$([^$\n]+)\$")
_FORMAT = re.compile(r"(%\d?|\d|token|words|plain)")
_HINTS = 3
_LARGEST = 200_000


@dataclass(frozen=True)
class Span:
    """A piece of a paragraph: words, stressed or not, a formula, a live number, or words that light cells."""

    kind: Literal["text", "emphasis", "code", "formula", "number", "words"]
    text: str = ""
    expression: str = ""
    format: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, or an item of a list."""

    spans: tuple[Span, ...]
    item: bool = False


@dataclass
class StepText:
    """The words of one step."""

    title: str
    body: list[Paragraph] = field(default_factory=list)
    predict: list[Paragraph] = field(default_factory=list)
    do: list[Paragraph] = field(default_factory=list)
    check: list[Paragraph] = field(default_factory=list)
    hints: list[list[Paragraph]] = field(default_factory=list)
    faq: list[tuple[str, list[Paragraph]]] = field(default_factory=list)

    def expressions(self) -> Iterator[Span]:
        """Yield every live number and every lit word."""
        parts = [self.body, self.predict, self.do, self.check, *self.hints, *(answer for _, answer in self.faq)]
        for part in parts:
            for paragraph in part:
                yield from (span for span in paragraph.spans if span.expression)


@dataclass
class LessonText:
    """The words of a lesson in one language."""

    title: str = ""
    lead: list[Paragraph] = field(default_factory=list)
    steps: dict[str, StepText] = field(default_factory=dict)


def read_text(source: str, file: str) -> LessonText:
    """Read a lesson's words.

    Raises:
        LessonError: a heading that is none of a lesson's, a part where no step has begun, a broken live number.
    """
    if len(source) > _LARGEST:
        raise LessonError(file, None, "", f"longer than {_LARGEST} characters")
    return _Reader(file).read(source)


class _Reader:
    """Goes through the lines of a text, and puts each paragraph where the last heading says."""

    def __init__(self, file: str) -> None:
        self._file, self._text, self._step = file, LessonText(), None  # type: str, LessonText, str | None
        self._into = self._text.lead

    def read(self, source: str) -> LessonText:
        for block in re.split(r"\n\s*\n", source.replace("\r\n", "\n")):
            for lines in _parts(block):
                self._take(lines)
        if not self._text.title:
            raise LessonError(self._file, None, "title", "there is none", "Begin the file with `# Title`.")
        return self._text

    def _take(self, lines: str) -> None:
        if lines.startswith("#"):
            self._heading(lines)
        else:
            item = lines.startswith("- ")
            self._into.append(Paragraph(self._spans(lines.removeprefix("- ") if item else lines), item))

    def _heading(self, line: str) -> None:
        if line.startswith("# "):
            self._text.title = line[2:].strip()
        elif match := _STEP.fullmatch(line):
            self._begin(match[1], match[2].strip())
        elif match := _PART.fullmatch(line):
            self._part(match[1], match[2])
        else:
            hint = "Write `# Title`, `## step: Title`, or `### predict`, `do`, `check`, `hint`, `faq: question`."
            raise LessonError(self._file, self._step, "heading", f"{line[:80]!r} is none of a lesson's", hint)

    def _begin(self, step: str, title: str) -> None:
        if step in self._text.steps:
            raise LessonError(self._file, step, "heading", "the step is there twice")
        self._step, self._text.steps[step] = step, StepText(title)
        self._into = self._text.steps[step].body

    def _part(self, part: str, words: str | None) -> None:
        if self._step is None:
            raise LessonError(self._file, None, part, "stands before any step")
        step = self._text.steps[self._step]
        match part:
            case "predict":
                self._into = step.predict
            case "do":
                self._into = step.do
            case "check":
                self._into = step.check
            case "hint":
                if len(step.hints) == _HINTS:
                    raise LessonError(self._file, self._step, "hint", f"there are more than {_HINTS}")
                step.hints.append([])
                self._into = step.hints[-1]
            case _:
                if not words:
                    raise LessonError(self._file, self._step, "faq", "has no question", "Write `### faq: question`.")
                step.faq.append((words.strip(), []))
                self._into = step.faq[-1][1]

    def _spans(self, text: str) -> tuple[Span, ...]:
        spans: list[Span] = []
        rest = " ".join(text.split("\n"))
        while "[[" in rest:
            before, _, after = rest.partition("[[")
            inside, rest = self._inside(after)
            spans += [*_words(before), self._live(inside)]
        spans += _words(rest)
        if any(span.kind == "text" and "*" in span.text for span in spans):
            hint = "Close it before a live number begins: *so* [[last]]."
            raise LessonError(self._file, self._step, "text", "a * has no partner in its words", hint)
        return tuple(spans)

    def _inside(self, text: str) -> tuple[str, str]:
        """Split a text at the `]]` that closes a live number, past the brackets of its indices."""
        deep = 0
        for at, letter in enumerate(text):
            if letter == "[":
                deep += 1
            elif letter == "]" and deep:
                deep -= 1
            elif text.startswith("]]", at):
                return text[:at], text[at + 2 :]
        raise LessonError(self._file, self._step, "text", f"[[{text[:40]} is not closed", "Close it with ]].")

    def _live(self, inside: str) -> Span:
        words, arrow, expression = inside.partition("=>")
        if not arrow:
            words, expression = "", inside
        expression, _, form = expression.partition("|")
        form = form.strip()
        if "[[" in words:
            raise LessonError(
                self._file, self._step, "text", f"{words.strip()!r} holds a live number", "Put it outside."
            )
        if form and not _FORMAT.fullmatch(form):
            hint = "Write a number of decimals, %, %1, token, words or plain."
            raise LessonError(self._file, self._step, "text", f"{form!r} is no format", hint)
        try:
            unknown = names_called(parse(expression)) - FUNCTIONS.keys()
        except ExpressionError as error:
            raise LessonError(self._file, self._step, "text", str(error), error.hint) from error
        if unknown:
            known = f"There are: {', '.join(FUNCTIONS)}."
            raise LessonError(self._file, self._step, "text", f"there is no function {', '.join(unknown)}", known)
        return Span("words" if arrow else "number", words.strip(), expression.strip(), form)


def _parts(block: str) -> Iterator[str]:
    """Split a block of lines into headings, items of a list, and paragraphs."""
    gathered: list[str] = []
    for line in block.strip().split("\n"):
        alone = line.startswith(("#", "- "))
        if alone and gathered:
            yield "\n".join(gathered)
            gathered = []
        if line.startswith("#"):
            yield line.strip()
        elif line.strip():
            gathered.append(line.strip())
    if gathered:
        yield "\n".join(gathered)


def _words(text: str) -> Iterator[Span]:
    """Split words into plain ones, stressed ones, names and formulas."""
    at = 0
    for match in _INLINE.finditer(text):
        if match.start() > at:
            yield Span("text", text[at : match.start()])
        if match[1] is not None:
            yield Span("emphasis", match[1])
        else:
            yield Span("code", match[2]) if match[2] is not None else Span("formula", match[3])
        at = match.end()
    if at < len(text):
        yield Span("text", text[at:])
