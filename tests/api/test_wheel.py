"""What `pip install` puts into an environment: the package `transformer_atlas` and its command, and no `app`."""

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app import __version__

ROOT = Path(__file__).resolve().parents[2]
_BUILD = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"


def _build(kind: str, into: Path) -> Path:
    """Build a wheel by the project's own build hook, from the front end that is built already."""
    environment = {**os.environ, "ATLAS_SKIP_FRONTEND": "1"}
    command = [sys.executable, "-c", _BUILD, kind, str(into)]
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return into / made.stdout.strip()


def _install(wheel: Path, into: Path) -> None:
    """Install beside a package of somebody else's that is called `app`, as that of many FastAPI projects is."""
    (into / "app").mkdir(parents=True)
    (into / "app" / "__init__.py").write_text("whose = 'somebody else'\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--no-index"]
    subprocess.run([*command, "--target", str(into), str(wheel)], check=True)


def _run(folder: Path, *command: str) -> str:
    """Run a command where `folder` is the first place that Python looks for packages; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the project's wheel."""
    return _build("build_wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and another `app` in a folder."""
    folder = tmp_path_factory.mktemp("environment") / "packages"
    _install(wheel, folder)
    return folder


@pytest.fixture
def address(installed: Path) -> Iterator[str]:
    """Serve with the installed command."""
    command = [str(installed / "bin" / "transformer-atlas"), "serve", "--port", "0", "--device", "cpu"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    with subprocess.Popen(command, cwd=installed, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0]
        server.terminate()
        assert server.wait(20) in (0, -15)


def test_the_wheel_holds_one_package_and_what_the_server_serves(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "transformer_atlas",
        f"transformer_atlas-{__version__}.dist-info",
    }
    data = "transformer_atlas/_data/"
    assert {f"{data}templates/atlas.html", f"{data}static/dist/.vite/manifest.json"} <= set(names)
    assert {name.split("/")[3] for name in names if name.startswith(f"{data}models/")} == {
        "sort",
        "stories",
        "fill",
        "translate",
    }
    assert not [name for name in names if "__pycache__" in name]


def test_it_lives_beside_another_package_called_app(installed: Path) -> None:
    told = _run(
        installed,
        sys.executable,
        "-c",
        "import app, json, transformer_atlas as ours; print(json.dumps([app.whose, ours.__version__, ours.__file__]))",
    )
    assert json.loads(told) == ["somebody else", __version__, str(installed / "transformer_atlas" / "__init__.py")]


def test_the_installed_command_serves_pages_and_models(address: str) -> None:
    assert httpx2.get(f"{address}/api/v1/health").json() == {"status": "ok", "version": __version__}
    models = {model["id"] for model in httpx2.get(f"{address}/api/v1/models").json()["models"]}
    assert {"sort", "stories", "fill", "translate"} <= models
    question = {"model": "sort", "text": "CBABBC", "max_new_tokens": 6}
    run = httpx2.post(f"{address}/api/v1/runs", json=question, timeout=30).json()
    assert "".join(one["token"]["text"] for one in run["generated"]) == "ABBBCC"
    page = httpx2.get(f"{address}/").text
    scripts = re.findall(r'src="(/static/dist/[^"]+\.js)"', page)
    assert scripts and all(httpx2.get(address + script).status_code == 200 for script in scripts)


def test_an_editable_install_reads_the_checkout(tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    _install(_build("build_editable", tmp_path), folder)
    told = _run(
        folder,
        sys.executable,
        "-c",
        "import app, json, transformer_atlas.settings as ours; print(json.dumps([app.whose, ours.__file__]))",
    )
    assert json.loads(told) == ["somebody else", str(ROOT / "app" / "settings.py")]
    assert "serve" in _run(folder, str(folder / "bin" / "transformer-atlas"), "--help")


def _by_name(source: str) -> list[str]:
    """List what of a module names the package `app`: absolute imports, and texts such as "app.server:create_app"."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names if one.name.split(".")[0] == "app"]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "app":
            found.append(node.module or "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += re.findall(r"^app(?:\.\w+)+(?::\w+)?$", node.value)
    return found


def test_no_module_of_the_package_names_it_app() -> None:
    assert _by_name("from app.runs import run\nimport app.server as s\nx = 'app.server:create_app'\n") == [
        "app.runs",
        "app.server",
        "app.server:create_app",
    ]
    named = {str(path): _by_name(path.read_text(encoding="utf-8")) for path in (ROOT / "app").rglob("*.py")}
    assert {path: found for path, found in named.items() if found} == {}
