"""Docstrings say what a function does: a verb and its object first. Modules say what they are for.

Ruff's D401 refuses "Returns the rows", but lets "The rows" pass: it knows no nouns. Here every first word that cannot
be a verb is refused:

    "The rows of a tensor."           refused
    "Whether a tensor is a weight."   refused
    "Return the rows of a tensor."    passes
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("app", "bench", "tools")
# Articles, pronouns, prepositions, question words, counts: how an inverted sentence or a noun alone begins.
WORDS = """
A About After All Along Also Always Among An And Another Any Around As At Because Before Behind Below Beside Between
Both But By Bytes Each Either Every Everything False Few For From Half Her Here His How I If In Into It Its Last Less
Many More Most Much My Names Neither Never Next No None Nothing Now Numbers Of On Once One Only Or Other Our Over Room
Rows Same Several Since So Some Something Such Than That The Their Then There These They This Those Though Three
Through To Tokens True Two Under Until Up Upon Values We What Whatever When Where Whether Which While Who Whoever
Whose Why With Within Without You
"""
NO_VERBS = frozenset(WORDS.split())
# From this many lines on a module has to say what it is for.
LONG = 60
SENTENCE = re.compile(r"\w+\W+\w+.*[.!?](\s|$)", re.DOTALL)


def modules(*folders: str) -> Iterator[tuple[Path, str]]:
    """Read every Python file under these folders of the repository."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text()


def refused(docstring: str) -> bool:
    """Tell whether a docstring begins with what is no verb: a word of the list, a quoted name, a number, a formula."""
    word = re.match(r"[A-Z][a-z]*(?=[\s.,:;]|$)", docstring.strip())
    return word is None or word[0] in NO_VERBS


def inverted(text: str) -> list[str]:
    """List the functions of a module whose docstrings do not begin with a verb, each with its line."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    told = ((node, ast.get_docstring(node)) for node in functions)
    return [f"{node.lineno} {node.name}: {words.splitlines()[0]}" for node, words in told if words and refused(words)]


def test_docstrings_begin_with_a_verb() -> None:
    found = [f"{path}:{line}" for path, text in modules(*FOLDERS) for line in inverted(text)]
    assert not found, "\n".join(["Begin with a verb: Return …, Read …, Tell whether …", *found])


@pytest.mark.parametrize("words", ["The rows.", "Whether it is.", "`rows` of it.", "|x| of some.", "256 numbers.", ""])
def test_what_is_no_verb_is_refused(words: str) -> None:
    assert refused(words)
    assert words == "" or inverted(f'async def rows():\n    """{words}"""\n')


@pytest.mark.parametrize("words", ["Return the rows.", "Train; then save.", "Refuse: there are none.", "Wait"])
def test_verbs_pass(words: str) -> None:
    assert not refused(words)
    assert not inverted(f'def rows():\n    """{words}"""\n')


def test_long_modules_say_what_they_are_for() -> None:
    silent = [
        str(path)
        for path, text in modules("app")
        if text.count("\n") > LONG and not SENTENCE.search(ast.get_docstring(ast.parse(text)) or "")
    ]
    assert not silent
