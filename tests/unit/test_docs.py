"""The written pages: every relative link leads to a file and a heading that exist, every page can be found."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s\"[^\"]*\")?\)")
# A mention of a page in a comment, a message or a template; `…/docs/` of another project's address does not count.
_MENTION = re.compile(r"(?<![/\w])docs/[\w/.-]+\.md")


def _written() -> list[Path]:
    """List the project's pages in Markdown: those of docs/, and those at the top."""
    return [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]


def _prose(page: Path) -> str:
    """Return a page's text without code, in which brackets are no links and `#` begins no heading."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: code[0].strip("`") if "](" not in code[0] else "", text)


def _anchors(page: Path) -> set[str]:
    """List what a link may name after `#`: each heading in small letters, words joined by hyphens."""
    headings = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings}


def _links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """List every relative link of a page: as written, the file it names, and what stands after `#`."""
    for target in _LINK.findall(_prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        yield target, (page.parent / name).resolve() if name else page, anchor


def _dead(page: Path) -> list[str]:
    return [
        target
        for target, file, anchor in _links(page)
        if not file.exists() or (anchor and anchor not in _anchors(file))
    ]


def test_every_link_leads_somewhere() -> None:
    dead = {str(page.relative_to(ROOT)): _dead(page) for page in _written()}
    assert {page: targets for page, targets in dead.items() if targets} == {}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A head\n[a](page.md#a-head) [b](page.md#none) [c](missing.md) [d](https://example.org/x)\n")
    assert _dead(page) == ["page.md#none", "missing.md"]


def test_links_of_docs_stay_within_docs() -> None:
    """The built site holds nothing else; a file of the repository is named, not linked."""
    outside = {
        str(page.relative_to(ROOT)): target
        for page in DOCS.rglob("*.md")
        for target, file, _ in _links(page)
        if not file.is_relative_to(DOCS)
    }
    assert outside == {}


def test_pages_named_in_comments_and_messages_exist() -> None:
    listed = subprocess.run(
        ["git", "grep", "-IhoE", r"(^|[^/[:alnum:]])docs/[[:alnum:]/._-]+\.md", "--", ":!docs", ":!findings"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    named = {found for line in listed.stdout.splitlines() for found in _MENTION.findall(line)}
    assert named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_every_page_is_reached_from_the_first() -> None:
    reached, waiting = set[Path](), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [file for _, file, _ in _links(page) if file.suffix == ".md" and file not in reached]
    assert {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page not in reached} == set()


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    named = set[str]()
    for page in _written():
        code = re.findall(r"`([^`]+)`", page.read_text(encoding="utf-8"))
        named |= {found for text in code for found in re.findall(r"(?:^|\n)\s*make ([a-z][\w-]*)", text)}
    for file in [ROOT / ".pre-commit-config.yaml", *(ROOT / ".github" / "workflows").glob("*.yml")]:
        named |= set(re.findall(r"(?:run|entry): make ([\w-]+)", file.read_text(encoding="utf-8")))
    assert {"test", "lint", "docs"} <= named
    assert named - targets == set()


def test_the_projects_own_files_are_what_their_readers_take() -> None:
    for file in [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]:
        assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict), file


def test_the_menu_of_the_site_names_every_page_and_no_other() -> None:
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    assert set(re.findall(r"- (?:[^:\n]+: )?([\w/-]+\.md)$", menu, re.MULTILINE)) == pages


def test_every_file_that_is_named_exists() -> None:
    """By its path, or by the end of it: `panels/explain/pins.tsx`. Names of what readers make or bring are exempt."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {f"/{line}" for line in listed.splitlines()}
    ends = {"/".join(path.split("/")[-count:]) for path in tracked for count in range(1, path.count("/") + 1)}
    missing = {}
    for page in _written():
        named = set(re.findall(r"`([\w][\w/.-]*\.(?:py|ts|tsx|mjs|css|yml|toml|html))`", page.read_text("utf-8")))
        unknown = {name for name in named if name not in ends and "NAME" not in name}
        if unknown:
            missing[str(page.relative_to(ROOT))] = unknown
    assert missing == {}


def test_adding_one_of_five_takes_two_files_that_exist() -> None:
    page = (DOCS / "design/architecture.md").read_text("utf-8")
    table = page.partition("## Where to add what")[2].partition("And these:")[0]
    rows = dict(re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE))
    for what in ("a parameter of the address", "a kind of operation", "a lens", "a REST call", "a panel"):
        files = re.findall(r"`((?:app|frontend)/[\w/.-]+)`", rows[what])
        assert len(files) == 2, what
        assert all((ROOT / file).is_file() for file in files), files
