"""Chat templates rendered in bounded time and memory: by processes that are kept, and ended when they take too long.

Templates come with models that anybody may have made, so one must not keep others waiting. Each is rendered by one
process at a time, and those that are not known to be quick leave one process free for those that are. A template that
ran out of time is refused for a while, each time for longer: a busy machine is no reason to refuse it for ever.
"""

import json
import logging
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("render_child.py")
_START_SECONDS = 60.0
_PROCESSES, _TRIALS = 3, 2  # all, and those that templates not known to be quick may use
_PATIENCE = 0.5  # seconds that others wait for a template that is being rendered
_LONGEST_REFUSAL = 600.0


class RenderError(ValueError):
    """A template that could not be rendered; the message says why."""


class NotNowError(RenderError):
    """A template that could not be rendered now; from `again`, on `time.monotonic`'s clock, it is worth another try."""

    def __init__(self, why: str, again: float) -> None:
        """Keep why, and from when on it may be different."""
        super().__init__(why)
        self.again = again


@dataclass
class _Standing:
    """What is known of a template: failures in a row, until when it is refused, and since when it is rendered."""

    quick: bool = False
    failures: int = 0
    refused_until: float = 0.0
    why: str = ""
    since: float | None = None


class Renderer:
    """Renders chat templates, each in one process at a time; processes are started when they are first needed."""

    def __init__(
        self, seconds: float = 5.0, memory_bytes: int = 2**29, most: int = 2**20, refusal: float | None = None
    ) -> None:
        """Give a template so many seconds, a process so much memory, and a rendered text so many characters.

        `refusal` is for how many seconds a template is refused when it first fails; as many as it may take, if not
        said. Every failure in a row doubles it, up to ten minutes.
        """
        self._seconds, self._memory, self._most = seconds, memory_bytes, most
        self._refusal = seconds if refusal is None else refusal
        self._changed = threading.Condition()
        self._idle: list[_Child] = []
        self._busy: list[_Child] = []
        self._trials, self._closed = 0, False
        self._standing: dict[str, _Standing] = {}

    def render(self, template: str, text: str, names: Mapping[str, Any]) -> str:
        """Render one message of a user's as the template writes it.

        Raises:
            RenderError: it cannot be rendered, or takes too much memory, or writes too much.
            NotNowError: it takes too long, or is being rendered for others and takes long there.
        """
        question = {"source": template, "text": text, "names": dict(names), "most": self._most}
        with self._turn(template) as (child, standing):
            try:
                answer = child.ask({**question, "seconds": self._seconds}, self._seconds)
            except TimeoutError:
                raise self._refused(standing, f"it takes longer than {self._seconds:g} seconds") from None
            except (OSError, EOFError, ValueError):
                raise self._refused(standing, "it broke off the process that renders it") from None
            standing.quick, standing.failures = True, 0
        if "text" in answer:
            return str(answer["text"])
        raise RenderError(str(answer.get("why")))

    def close(self) -> None:
        """End the processes, also of what is being rendered."""
        with self._changed:
            self._closed = True
            for child in (*self._idle, *self._busy):
                child.kill()
            self._idle.clear()
            self._changed.notify_all()

    def _refused(self, standing: _Standing, why: str) -> NotNowError:
        """Refuse a template for a while."""
        logging.getLogger(__name__).warning("a chat template is not rendered: %s", why)
        with self._changed:
            wait = min(_LONGEST_REFUSAL, self._refusal * 2.0**standing.failures)
            standing.quick, standing.why = False, why
            standing.failures = min(standing.failures + 1, 30)
            standing.refused_until = time.monotonic() + wait
        return NotNowError(why, standing.refused_until)

    @contextmanager
    def _turn(self, template: str) -> "Iterator[tuple[_Child, _Standing]]":
        """Lend a process of this template's own, for as long as the block lasts, and keep it where that ends well."""
        with self._changed:
            standing = self._standing.setdefault(template, _Standing())
            self._wait(standing)
            trial = not standing.quick
            self._trials += trial
            standing.since = time.monotonic()
            child = self._idle.pop() if self._idle else _Child()
            self._busy.append(child)
        kept = False
        try:
            child.start(self._memory)
            yield child, standing
            kept = True
        finally:
            with self._changed:
                self._busy.remove(child)
                self._trials -= trial
                standing.since = None
                if kept and not self._closed:
                    self._idle.append(child)
                else:
                    child.end()
                self._changed.notify_all()

    def _wait(self, standing: _Standing) -> None:
        """Wait until there is a process for a template.

        Raises:
            NotNowError: it is refused, or others would be waited for too long.
        """
        begun = time.monotonic()
        while True:
            now = time.monotonic()
            if self._closed:
                raise RenderError("the server is stopping")
            if now < standing.refused_until:
                raise NotNowError(standing.why, standing.refused_until)
            if standing.since is not None and now - standing.since > _PATIENCE:
                raise NotNowError("it is still being rendered for somebody else", now + self._seconds)
            free = len(self._busy) < _PROCESSES and (standing.quick or self._trials < _TRIALS)
            if standing.since is None and free:
                return
            if now - begun > self._seconds:
                raise NotNowError("too many others are being rendered", now + self._seconds)
            self._changed.wait(_PATIENCE / 5)


class _Child:
    """One process that renders: a question a line, an answer a line."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def start(self, memory: int) -> None:
        """Have a process that is ready to answer; it starts no others, and hears of no Ctrl-C.

        Raises:
            RenderError: it does not start.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self.end()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        if self._killed:
            self._process.kill()
        try:
            self._answer(self._process, _START_SECONDS)
        except (TimeoutError, EOFError, ValueError) as error:
            raise RenderError("the process that renders templates did not start") from error

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return what the process answers.

        Raises:
            TimeoutError: nothing, in time.
            OSError, EOFError, ValueError: nothing that can be read; it is gone.
        """
        process = self._process
        assert process is not None and process.stdin is not None
        process.stdin.write(json.dumps(question).encode() + b"\n")
        return self._answer(process, seconds)

    def kill(self) -> None:
        """End the process at once; what waits for its answer hears that it is gone."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """End the process, and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    @staticmethod
    def _answer(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
        """Read the next line that the process writes.

        Raises:
            TimeoutError: it does not come in time.
            EOFError: the process is gone.
            ValueError: it is no JSON.
        """
        assert process.stdout is not None
        until, line = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError
                part = process.stdout.read(2**16)
                if not part:
                    raise EOFError
                line += part
        found: dict[str, Any] = json.loads(line)
        return found
