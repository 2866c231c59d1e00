"""Chat templates rendered in bounded time and memory: by a process that is kept, and ended when it takes too long.

A template that has once run out of time is not tried again: who asks for its model is told at once.
"""

import json
import logging
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("render_child.py")
_START_SECONDS = 60.0


class RenderError(ValueError):
    """A template that could not be rendered; the message says why."""


class Renderer:
    """Renders chat templates, one at a time, in one process that is started when it is first needed."""

    def __init__(self, seconds: float = 5.0, memory_bytes: int = 2**29, most: int = 2**20) -> None:
        """Give a template so many seconds, the process so much memory, and a rendered text so many characters."""
        self._seconds, self._memory, self._most = seconds, memory_bytes, most
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._given_up: dict[str, str] = {}

    def render(self, template: str, text: str, names: Mapping[str, str]) -> str:
        """One message of a user's as the template writes it.

        Raises:
            RenderError: it cannot be rendered, or takes too long, too much memory, or writes too much.
        """
        with self._lock:
            if template in self._given_up:
                raise RenderError(self._given_up[template])
            question = {"source": template, "text": text, "names": dict(names), "most": self._most}
            answer = self._ask({**question, "seconds": self._seconds}, template)
        if "text" in answer:
            return str(answer["text"])
        raise RenderError(str(answer.get("why")))

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, question: dict[str, Any], template: str) -> dict[str, Any]:
        line = json.dumps(question).encode() + b"\n"
        child = self._child
        if child is None or child.poll() is not None:
            child = self._start()
        assert child.stdin is not None
        try:
            child.stdin.write(line)
            return self._answer(child, self._seconds)
        except TimeoutError:
            why = f"it takes longer than {self._seconds:g} seconds"
        except (OSError, EOFError, ValueError):
            why = "it broke off the process that renders it"
        self._end()
        self._given_up[template] = why
        logging.getLogger(__name__).warning("a chat template is not rendered: %s", why)
        raise RenderError(why)

    def _start(self) -> subprocess.Popen[bytes]:
        """A new process that is ready to answer; it starts no others, and hears of no Ctrl-C."""
        self._end()
        command = [sys.executable, "-P", str(_CHILD), str(self._memory)]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        try:
            self._answer(self._child, _START_SECONDS)
        except (TimeoutError, EOFError, ValueError) as error:
            self._end()
            raise RenderError("the process that renders templates did not start") from error
        return self._child

    @staticmethod
    def _answer(child: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
        """The next line that the process writes.

        Raises:
            TimeoutError: it does not come in time.
            EOFError: the process is gone.
            ValueError: it is no JSON.
        """
        assert child.stdout is not None
        until, line = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError
                part = child.stdout.read(2**16)
                if not part:
                    raise EOFError
                line += part
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
