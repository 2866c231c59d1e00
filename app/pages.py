"""The Jinja2 pages: the atlas, the models' cards, the guide to the API. Nothing on them comes from another host."""

import json
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from . import api_guide
from .checkpoints.catalog import Catalog
from .checkpoints.entry import ModelEntry
from .checkpoints.errors import CheckpointError
from .paths import MANIFEST, STATIC, TEMPLATES

# Scripts and styles from this server alone. Plotly and the map place things by setting single style properties
# from script, which `style-src 'self'` allows; inline style text stays forbidden.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# `X-Content-Type-Options` is not among them: the server gives it to every answer, whatever it is.
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_FOR_EVER = "public, max-age=31536000, immutable"
# Every page begins with these; asked for at once, the text does not change its look when they come.
_FIRST_FONTS = ("source-serif-4-latin-400-normal.woff2", "ibm-plex-mono-latin-400-normal.woff2")
_NOT_PAGES = ("/api/", "/static/", "/openapi.json")
_templates = Jinja2Templates(TEMPLATES)
# JSON to be read as Python or shell text; the template still escapes it for HTML.
_templates.env.filters["tojson_plain"] = partial(json.dumps, ensure_ascii=False)
# Raw HTML in a card is shown as text: cards may come with models of unknown origin. A wide table scrolls in its
# own box, which the keyboard can reach.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_markdown.add_render_rule(
    "table_open", lambda *_: '<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n'
)
_markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")


@dataclass(frozen=True)
class Assets:
    """The built scripts and styles of one page."""

    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    fonts: list[str] = field(default_factory=list)


class HashedFiles(StaticFiles):
    """Static files; those that Vite named by their content may be kept for ever."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Any:
        """Answer with the file, and say how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = "/dist/assets/" in scope["path"]
        response.headers["Cache-Control"] = _FOR_EVER if hashed else "no-cache"
        return response


def install(app: FastAPI, catalog: Catalog) -> None:
    """Give the app its pages and static files."""
    app.include_router(_router(catalog))
    app.mount("/static", HashedFiles(directory=STATIC), name="static")
    as_json = app.exception_handlers.get(HTTPException, http_exception_handler)

    @app.exception_handler(HTTPException)
    async def no_page(request: Request, error: HTTPException) -> Response:
        """Answer with a page for people who mistyped an address; programs that call the API get JSON as ever."""
        machine = request.url.path.startswith(_NOT_PAGES)
        if error.status_code == 404 and request.method in ("GET", "HEAD") and not machine:
            return not_found(request)
        answer = as_json(request, error)
        return await answer if isawaitable(answer) else answer


def _router(catalog: Catalog) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def atlas(request: Request) -> HTMLResponse:
        assets = _assets("src/main.ts")
        if assets is None:
            text = "The page's scripts have not been built. Start the server with `make run`, which builds them."
            return _page(request, "message.html", 503, title="Not built yet", text=text)
        return _page(request, "atlas.html", assets=assets)

    @router.get("/models")
    def models(request: Request) -> HTMLResponse:
        return _page(request, "models.html", page="models", entries=catalog.entries())

    @router.get("/models/{model_id}")
    def card(request: Request, model_id: str) -> HTMLResponse:
        try:
            entry = catalog.entry(model_id)
            text = entry.card
        except KeyError:
            return not_found(request)
        except CheckpointError as error:
            return _broken(request, model_id, error)
        content = _rendered(text) if text else None
        about: dict[str, Any] = {"facts": _facts(entry), "card": content, "not_obeyed": _not_obeyed(entry)}
        about["left_out"] = _left_out(entry)
        return _page(request, "card.html", page="models", entry=entry, **about)

    @router.get("/api")
    def api(request: Request) -> HTMLResponse:
        base = str(request.base_url).rstrip("/")
        example = api_guide.Example.choose(base, catalog.entries())
        return _page(
            request,
            "api.html",
            page="api",
            base=base,
            example=example,
            pattern=example.command("GET", "/api/v1/runs/{run_id}/activations/{name}"),
            groups=api_guide.calls(request.app.openapi(), example),
        )

    @router.get("/docs")
    def docs() -> RedirectResponse:
        """Redirect from where FastAPI's servers have their reference."""
        return RedirectResponse("/api", 308)

    @router.get("/favicon.ico")
    def icon() -> RedirectResponse:
        return RedirectResponse("/static/icon.svg", 308)

    return router


def not_found(request: Request) -> HTMLResponse:
    """Answer with the 404 page."""
    text = "There is no page at this address."
    return _page(request, "message.html", 404, title="Not found", text=text)


def _broken(request: Request, model_id: str, error: CheckpointError) -> HTMLResponse:
    text = f"{error}. {error.hint}"
    return _page(request, "message.html", 503, title=f"{model_id} cannot be read", text=text)


def _page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    values.setdefault("assets", _assets("src/pages.ts") or Assets())
    headers = dict(_HEADERS)
    if any(script.endswith(".ts") for script in values["assets"].scripts):
        # `make dev`: Vite hands out the sources, and puts their styles into the page as elements.
        headers["Content-Security-Policy"] = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    return _templates.TemplateResponse(request, template, values, status_code=status, headers=headers)


def _assets(entry: str) -> Assets | None:
    """Find what Vite built for an entry, its imports' styles first; None when nothing has been built."""
    if not MANIFEST.is_file():
        return None
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    styles: dict[str, None] = {}

    def collect(name: str, seen: set[str]) -> None:
        if name in seen:
            return
        seen.add(name)
        for imported in manifest[name].get("imports", ()):
            collect(imported, seen)
        styles.update(dict.fromkeys(manifest[name].get("css", ())))

    collect(entry, set())
    fonts = [part["file"] for name, part in manifest.items() if name.endswith(_FIRST_FONTS)]
    return Assets([manifest[entry]["file"]], list(styles), fonts)


def _rendered(card: str) -> Markup:
    """Render a card as HTML below the page's own title, in whose place its first heading would stand."""
    tokens = _markdown.parse(card)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token in tokens:
        if token.tag == "h1":
            token.tag = "h2"
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))


def _not_obeyed(entry: ModelEntry) -> tuple[str, ...]:
    """List what the model's files say and is not done, or what is wrong with them."""
    try:
        return entry.not_obeyed
    except CheckpointError as error:
        return (str(error),)


def _left_out(entry: ModelEntry) -> list[tuple[str, str]]:
    """List the weights of its files that are not on the map, and their shapes."""
    return [(name, " × ".join(f"{size:,}" for size in shape)) for name, shape in entry.left_out.items()]


def _facts(entry: ModelEntry) -> list[tuple[str, str]]:
    spec = entry.spec
    return [
        ("numbers learned", f"{entry.graph.parameter_count:,}"),
        ("layers", str(spec.layers)),
        ("heads", f"{spec.heads} of width {spec.d_head}"),
        ("width (d_model)", f"{spec.d_model:,}"),
        ("neurons a layer (d_mlp)", f"{spec.d_mlp:,}"),
        ("vocabulary (d_vocab)", f"{spec.d_vocab:,}"),
        ("context (positions)", f"{spec.positions:,}"),
        ("activation", spec.activation),
        ("unembedding", "none" if not spec.head else "tied to the embedding" if spec.tied else "its own"),
        ("weights on disk", f"{entry.size_bytes:,} bytes"),
    ]
