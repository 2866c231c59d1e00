"""The Python files stay readable: none is too long, no function is, and no imports of `app/` come back in a circle.

`frontend/tools/check-house.mjs` asks the same of the page.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES, FUNCTION = 400, 60
# A list of words is data, whatever its length.
DATA = {"app/training/french.py"}


@cache
def texts() -> dict[str, str]:
    """Return every Python file of ours by its path."""
    files = (path for folder in ("app", "bench", "tools", "tests") for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def trees() -> dict[str, ast.Module]:
    """Return every file's syntax tree."""
    return {name: ast.parse(text, name) for name, text in texts().items()}


def test_no_file_is_too_long() -> None:
    long = {name for name, text in texts().items() if text.count("\n") > LINES}
    assert long - DATA == set()
    assert long >= DATA, "an exception that is none any more"


def test_no_function_is_too_long() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION
    ]
    assert long == []


def module_of(name: str) -> str:
    """Name the module that a file is: `app/lenses/__init__.py` is `app.lenses`."""
    return ".".join(Path(name).with_suffix("").parts).removesuffix(".__init__")


def imported(name: str, tree: ast.Module, known: set[str]) -> Iterator[str]:
    """Yield the modules that a file imports when it is loaded or for its types; not those within its functions."""
    folder = module_of(name).split(".") if name.endswith("__init__.py") else module_of(name).split(".")[:-1]
    inside = [tree.body]
    while inside:
        for node in inside.pop():
            # What a function imports comes when it is called.
            if isinstance(node, ast.If | ast.Try | ast.ClassDef):
                inside += [node.body, *([] if isinstance(node, ast.ClassDef) else [node.orelse])]
            if isinstance(node, ast.ImportFrom):
                base = folder[: len(folder) - node.level + 1] if node.level else []
                source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
                found = {f"{source}.{alias.name}" for alias in node.names} & known
                # `from . import schemas` loads the module named, not what its package holds.
                yield from found or ({source} & known)


def test_no_imports_come_back_in_a_circle() -> None:
    modules = {module_of(name): name for name in trees() if name.startswith("app/")}
    known = set(modules)
    reads = {module: set(imported(name, trees()[name], known)) - {module} for module, name in modules.items()}
    assert sum(map(len, reads.values())) > len(modules), "the imports were not understood"
    # What imports nothing that is left is in no circle: take it away until nothing of that kind is left.
    while free := [module for module, others in reads.items() if not others]:
        for module in free:
            del reads[module]
        reads = {module: others - set(free) for module, others in reads.items()}
    assert reads == {}
