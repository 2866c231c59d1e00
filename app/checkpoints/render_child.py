"""Renders chat templates in a process of its own, started by `rendering.py`; needs Jinja and nothing of this package.

A template comes with a model that anybody may have made, and Jinja's sandbox bounds neither time nor memory. So it is
rendered where only this process can be lost. One question a line on standard input, one answer a line on standard
output, both JSON. What a template is given and may call is what `transformers` gives it.
"""

import json
import math
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace


class _Generation(Extension):
    """The tag `{% generation %}`, which marks what the model wrote when it is trained; read, it changes nothing."""

    tags = {"generation"}  # noqa: RUF012  (Jinja's own form)

    def parse(self, parser: Parser) -> nodes.Node:
        """Read what stands inside the tag, with names of its own as in a macro."""
        line = next(parser.stream).lineno
        inside = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_written"), [], [], inside).set_lineno(line)

    @staticmethod
    def _written(caller: Callable[[], str]) -> str:
        return caller()


class _Namespace(Namespace):
    """Jinja's `namespace`, whose attributes may not begin with a low line: Python's own inner ones do."""

    def __init__(self, *values: Any, **named: Any) -> None:
        for name in dict(*values, **named):
            _check_name(name)
        super().__init__(*values, **named)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may hold no {name!r}")


def _dict(*values: Any, **named: Any) -> dict[Any, Any]:
    """Make `dict` a function alone, without the type's attributes."""
    return dict(*values, **named)


def _refuse(message: str) -> NoReturn:
    """Raise for `raise_exception`: how a template says that it cannot take a conversation."""
    raise TemplateError(message)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """Write JSON for `tojson` without the escapes for HTML that Jinja's own makes."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _now(form: str) -> str:
    """Write today's date in some form, for `strftime_now`."""
    return datetime.now().strftime(form)


@lru_cache(maxsize=32)
def _compiled(source: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _refuse, "strftime_now": _now, "dict": _dict, "namespace": _Namespace}
    return environment.from_string(source)


def render(source: str, text: str, names: dict[str, str], most: int) -> str:
    """Render one message of a user's as the template writes it, with the beginning of an answer.

    Raises:
        Exception: whatever a template may do wrong; ValueError if it writes more than `most` characters.
    """
    written, size = [], 0
    parts = _compiled(source).generate(
        **{"messages": [{"role": "user", "content": text}], "tools": None, "documents": None},
        add_generation_prompt=True,
        **names,
    )
    for part in parts:
        size += len(part)
        if size > most:
            raise ValueError(f"it writes more than {most} characters")
        written.append(part)
    return "".join(written)


def _bound(memory: int) -> None:
    """Take no more memory than this, and leave no file behind a crash; systems without such limits have none."""
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def _bound_time(seconds: float) -> None:
    """End this process if its next answer takes much longer than it may, also when nobody is left to end it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with suppress(ValueError, OSError):
        soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Answer questions until there are no more."""
    _bound(int(sys.argv[1]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        _bound_time(question.pop("seconds"))
        try:
            said = json.dumps({"text": render(**question)})
        except MemoryError:
            said = json.dumps({"why": "it takes more memory than it may"})
        except RecursionError:
            said = json.dumps({"why": "it is nested too deeply"})
        except Exception as error:
            # A template is a program: whatever it raises is its own fault, and is said.
            said = json.dumps({"why": str(error)[:300] or type(error).__name__})
        print(said, flush=True)


if __name__ == "__main__":
    main()
