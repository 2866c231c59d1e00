"""The stream: one WebSocket that carries everything the page shows while it happens."""

from .endpoint import router

__all__ = ["router"]
