"""The WebSocket `/api/v1/stream`: takes the browser's messages in; `connection.py` answers.

docs/reference/stream.md describes the messages.
"""

import asyncio
import contextlib

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from .. import schemas
from ..clients import address_of, client, new_connection
from ..errors import ApiError
from ..services import Connection, Services, ServicesOf
from .connection import StreamConnection, same_origin

router = APIRouter()
_MESSAGES: TypeAdapter[schemas.ClientMessage] = TypeAdapter(schemas.ClientMessage)
_POLICY, _TRY_LATER = 1008, 1013
_FAREWELL_SECONDS = 2
# After so many refusals of a connection each costs it a pause.
_REFUSALS_AT_ONCE, _REFUSAL_SECONDS = 100, 0.02
_HINT = (
    "Send one JSON object with a type of start, want, ack, step, pause or cancel;"
    " docs/reference/stream.md describes them."
)


@router.websocket("/stream")
async def stream(socket: WebSocket, services: ServicesOf) -> None:
    """Serve one connection, from its first message to its last."""
    if not same_origin(socket, services.settings.allowed_origins):
        return await socket.close(_POLICY, "another site's page may not open this stream")
    await socket.accept()
    address = address_of(socket.scope)
    if not _find_room(services, address):
        return await socket.close(_TRY_LATER, "too many connections; try again later")
    client.set(new_connection(address))
    session = StreamConnection(services, socket)
    services.sockets += 1
    services.sessions.setdefault(address, []).append(session)
    sending = asyncio.create_task(session.send())
    beating = asyncio.create_task(session.beat())
    receiving = asyncio.create_task(_receive(session, socket, services))
    burying = asyncio.create_task(session.dismissed.wait())
    try:
        await asyncio.wait((sending, beating, receiving, burying), return_when=asyncio.FIRST_COMPLETED)
    finally:
        _let_go(services, address, session)
        session.close()
        for task in (sending, beating, receiving, burying):
            task.cancel()
            # The other side may go away at any moment, on any task; that is how every connection ends.
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task
    if session.farewell is not None:
        with contextlib.suppress(TimeoutError, RuntimeError, OSError):
            await asyncio.wait_for(socket.close(*session.farewell), _FAREWELL_SECONDS)


def _find_room(services: Services, address: str) -> bool:
    """Tell whether there is room for one more connection; one that has never said anything gives way to it."""
    settings, here = services.settings, services.sessions.get(address, [])
    if services.sockets < settings.sockets and len(here) < settings.client_sockets:
        return True
    crowd = (
        here if len(here) >= settings.client_sockets else [one for each in services.sessions.values() for one in each]
    )
    silent = min((one for one in crowd if one.silent), key=lambda one: one.opened, default=None)
    if silent is None:
        return False
    silent.dismiss(_TRY_LATER, "others wait for the place of a connection that says nothing")
    _let_go(services, silent.client.address, silent)
    return True


def _let_go(services: Services, address: str, session: Connection) -> None:
    """Count a connection no more; it may have had to give way before."""
    here = services.sessions.get(address, [])
    if session in here:
        services.sockets -= 1
        here.remove(session)
        if not here:
            del services.sessions[address]


async def _receive(session: StreamConnection, socket: WebSocket, services: Services) -> None:
    """Take messages in until the other side goes away or has sent too much that means nothing."""
    longest, patience = services.settings.message_bytes, services.settings.bad_messages
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        session.heard = True
        try:
            # Messages that wait are taken in without a pause: others have their turn after each.
            await asyncio.sleep(0)
            await _take(session, message.get("text"), longest)
        except ApiError as error:
            session.refuse(error)
            patience -= 1
            if patience <= 0:
                await asyncio.sleep(0)
                return await socket.close(_POLICY, "too many messages that are not understood")
        if session.refusals > services.settings.refusals:
            return session.dismiss(_POLICY, "too many messages that cannot be answered")
        if session.refusals > _REFUSALS_AT_ONCE:
            await asyncio.sleep(_REFUSAL_SECONDS)


async def _take(session: StreamConnection, text: str | None, longest: int) -> None:
    if text is None:
        raise ApiError(422, "bad_message", "binary messages are not understood", _HINT)
    if len(text) > longest:
        raise ApiError(422, "too_long", f"the message has {len(text)} characters, more than {longest}", "Send less.")
    try:
        message = _MESSAGES.validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        said = f"{place}: {problem['msg']}" if place else problem["msg"]
        raise ApiError(422, "bad_message", said[:500], _HINT) from error
    match message:
        case schemas.StartMessage():
            await session.start(message)
        case schemas.WantMessage():
            await session.want(message)
        case schemas.AckMessage():
            session.acknowledge(message)
        case schemas.StepMessage():
            session.step(message)
        case schemas.PauseMessage():
            session.pause(message)
        case schemas.CancelMessage():
            session.cancel(message)
