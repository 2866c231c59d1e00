"""The Jinja2 pages: the atlas, the models' cards, the guide to the API. Nothing on them comes from another host."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.types import Scope

from app.checkpoints.catalog import Catalog, ModelEntry
from app.paths import MANIFEST, STATIC, TEMPLATES

# Scripts and styles from this server alone. Plotly and the map place things by setting single style properties
# from script, which `style-src 'self'` allows; inline style text stays forbidden.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_templates = Jinja2Templates(TEMPLATES)
# Raw HTML in a card is shown as text: cards may come with models of unknown origin.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Assets:
    """The built scripts and styles of one page."""

    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)


class HashedFiles(StaticFiles):
    """Static files; those that Vite named by their content may be kept for ever."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Any:
        """The file, and how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = "/dist/assets/" in scope["path"]
        response.headers["Cache-Control"] = _FOR_EVER if hashed else "no-cache"
        return response


def install(app: FastAPI, catalog: Catalog) -> None:
    """Give the app its pages and static files."""
    app.include_router(_router(catalog))
    app.mount("/static", HashedFiles(directory=STATIC), name="static")


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
        except KeyError:
            return not_found(request)
        text = entry.card
        content = Markup(_markdown.render(_without_title(text))) if text else None
        return _page(request, "card.html", page="models", entry=entry, facts=_facts(entry), card=content)

    @router.get("/api")
    def api(request: Request) -> HTMLResponse:
        base = str(request.base_url).rstrip("/")
        return _page(request, "api.html", page="api", base=base, calls=list(_calls(request.app.openapi())))

    @router.get("/favicon.ico")
    def icon() -> RedirectResponse:
        return RedirectResponse("/static/icon.svg", 308)

    return router


def not_found(request: Request) -> HTMLResponse:
    """The page for an address that is none."""
    text = "There is no page at this address."
    return _page(request, "message.html", 404, title="Not found", text=text)


def _page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    values.setdefault("assets", _assets("src/pages.ts") or Assets())
    return _templates.TemplateResponse(request, template, values, status_code=status, headers=_HEADERS)


def _assets(entry: str) -> Assets | None:
    """What Vite built for an entry, its imports' styles first; None when nothing has been built."""
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
    return Assets([manifest[entry]["file"]], list(styles))


def _without_title(card: str) -> str:
    """A card's text; the page has its own title."""
    first, _, rest = card.partition("\n")
    return rest if first.startswith("# ") else card


def _facts(entry: ModelEntry) -> list[tuple[str, str]]:
    spec = entry.spec
    return [
        ("numbers learned", f"{spec.parameter_count:,}"),
        ("layers", str(spec.layers)),
        ("heads", f"{spec.heads} of width {spec.d_head}"),
        ("width (d_model)", f"{spec.d_model:,}"),
        ("neurons a layer (d_mlp)", f"{spec.d_mlp:,}"),
        ("vocabulary (d_vocab)", f"{spec.d_vocab:,}"),
        ("context (positions)", f"{spec.positions:,}"),
        ("activation", spec.activation),
        ("unembedding", "tied to the embedding" if spec.tied else "its own"),
        ("weights on disk", f"{entry.size_bytes:,} bytes"),
    ]


def _calls(specification: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every call of the API, as its specification has it."""
    for path, methods in specification["paths"].items():
        for method, call in methods.items():
            parameters = [
                {
                    "name": parameter["name"],
                    "kind": parameter["in"],
                    "description": parameter.get("description") or parameter["schema"].get("description", ""),
                }
                for parameter in call.get("parameters", ())
            ]
            yield {
                "method": method.upper(),
                "path": path,
                "description": call.get("description") or call.get("summary", ""),
                "parameters": parameters,
            }
