"""The pages as a browser gets them: headers, links, real numbers, and well-formed enough for everyone's hands."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import httpx2
import pytest

from app import pages
from app.transformer.blocks import build_graph
from app.transformer.spec import Spec
from tests.conftest import TINY, Server

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}
PAGES = ["/", "/models", "/models/tiny", "/models/sort", "/api", "/no/such/page"]


class Page(HTMLParser):
    """What a test asks of a page. Raises as soon as an element is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.links: list[str] = []
        self.ids: list[str] = []
        self.language = ""
        self.unnamed_navigation = 0
        self.inline: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "html":
            self.language = given.get("lang") or ""
        if tag == "nav" and not (given.get("aria-label") or given.get("aria-labelledby")):
            self.unnamed_navigation += 1
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += ["script"] if tag == "script" and "src" not in given else []
        self.inline += ["style"] if tag == "style" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open}"
        self.open.pop()


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30, follow_redirects=True) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_headers_allow_nothing_but_this_server(site: httpx2.Client, path: str) -> None:
    headers = site.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed(site: httpx2.Client, path: str) -> None:
    text = site.get(path).text
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert page.open == []
    assert page.language == "en"
    assert page.counts["h1"] == page.counts["main"] == page.counts["title"] == 1
    assert page.unnamed_navigation == 0
    assert len(page.ids) == len(set(page.ids))
    assert page.inline == [], "the content-security policy refuses it"


def test_every_link_leads_somewhere(site: httpx2.Client) -> None:
    base = str(site.base_url).rstrip("/") + "/"
    waiting, seen = [base, urljoin(base, "/models"), urljoin(base, "/api")], set()
    while waiting:
        address, fragment = urldefrag(waiting.pop())
        if not address.startswith(base) or (address, fragment) in seen:
            continue
        seen.add((address, fragment))
        answer = site.get(address)
        assert answer.status_code == 200, address
        if answer.headers["content-type"].startswith("text/html"):
            page = Page(answer.text)
            assert not fragment or fragment in page.ids, f"{address} has no #{fragment}"
            waiting += [urljoin(address, link) for link in page.links]
    assert {urljoin(base, path) for path in ("/models/tiny", "/models/sort", "/models/stories")} <= {a for a, _ in seen}


def _assert_spec(text: str, spec: Spec) -> None:
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>([^<]*)</td>', text))
    numbers = " ".join(rows.values())
    for size in (
        build_graph(spec).parameter_count,
        spec.layers,
        spec.d_model,
        spec.d_mlp,
        spec.d_vocab,
        spec.positions,
    ):
        assert f"{size:,}" in numbers, f"{size:,} is not among {rows}"
    assert f"{spec.heads} of width {spec.d_head}" in numbers


def test_a_card_shows_the_numbers_of_the_spec(site: httpx2.Client, server: Server) -> None:
    _assert_spec(site.get("/models/tiny").text, TINY)
    entry = server.services.engine.models.catalog.entry("sort")
    text = site.get("/models/sort").text
    _assert_spec(text, entry.spec)
    assert f"{(entry.folder / 'model.safetensors').stat().st_size:,} bytes" in text
    assert 'href="/?model=sort"' in text
    assert "729 inputs" in text


def test_html_in_a_card_is_text(server: Server, site: httpx2.Client) -> None:
    card = server.services.engine.models.catalog.entry("tiny").folder / "card.md"
    card.write_text("# Mine\n\n<script>alert(1)</script> [x](javascript:alert(1))\n\n# More\n\n| a |\n|---|\n| 1 |\n")
    try:
        text = site.get("/models/tiny").text
    finally:
        card.unlink()
    page = Page(text)
    assert page.counts["h1"] == 1 and "<h2>More</h2>" in text and page.inline == []
    assert "&lt;script&gt;" in text
    assert not any(link.startswith("javascript:") for link in page.links)


@pytest.mark.parametrize("path", ["/models/none", "/no/such/page", "/apix"])
def test_an_unknown_page_is_a_page(site: httpx2.Client, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("path", ["/api/v1/none", "/static/none.js"])
def test_programs_get_their_errors_in_json(site: httpx2.Client, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"type", "message", "hint"}


def test_without_a_built_front_end_the_page_says_what_to_do(
    site: httpx2.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pages, "MANIFEST", tmp_path / "manifest.json")
    answer = site.get("/")
    assert answer.status_code == 503
    assert "make run" in answer.text
    assert site.get("/models").status_code == 200


def test_vite_may_put_its_styles_into_the_page_while_developing(
    site: httpx2.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({entry: {"file": entry} for entry in ("src/main.ts", "src/pages.ts")}))
    monkeypatch.setattr(pages, "MANIFEST", manifest)
    answer = site.get("/")
    assert 'src="/static/dist/src/main.ts"' in answer.text
    assert "style-src 'self' 'unsafe-inline';" in answer.headers["content-security-policy"]
    assert "script-src 'self';" in answer.headers["content-security-policy"]


def test_files_named_by_their_content_are_kept_others_are_asked_for(site: httpx2.Client) -> None:
    script = next(link for link in Page(site.get("/").text).links if link.startswith("/static/dist/assets/"))
    assert "immutable" in site.get(script).headers["cache-control"]
    assert site.get("/static/theme.js").headers["cache-control"] == "no-cache"


def test_the_guide_has_every_call_and_its_commands_work(site: httpx2.Client, tmp_path: Path) -> None:
    """Every command of the guide, pasted into one shell from top to bottom."""
    guide = _guide(site)
    commands = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", guide, re.S)
    script = "\n".join(html.unescape(command) for command in commands if "curl" in command and "smollm2" not in command)
    for path, methods in site.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"{method.upper()}</b> {path}" in guide
    script = script.replace("curl -s", "curl -sS --fail-with-body -w '\\n%{http_code}\\n'")
    # The run's id is read from the answer alone.
    script = re.sub(r"RUN=\$\((curl -sS --fail-with-body) -w '[^']*'", r"RUN=$(\1", script)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-600:] + done.stderr
    codes = re.findall(r"^(\d{3})$", done.stdout, re.M)
    assert len(codes) == script.count("curl") - 1 and set(codes) <= {"200", "204"}


def test_the_python_of_the_guide_works(site: httpx2.Client) -> None:
    found = re.findall(r"<pre[^>]*><code>(import .*?)</code></pre>", _guide(site), re.S)
    assert len(found) == 1
    done = subprocess.run([sys.executable, "-c", html.unescape(found[0])], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    shape = json.loads(done.stdout.replace("(", "[").replace(")", "]"))
    assert len(shape) == 3 and shape[1] == shape[2]


def _guide(site: httpx2.Client) -> str:
    return site.get("/api").text
