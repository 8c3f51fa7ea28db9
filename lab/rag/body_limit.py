"""Refuses request bodies that are larger than any sensible query."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 64 * 1024  # bytes


class BodyLimit:
    """Plain ASGI, so that it costs a request next to nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received: the length that a client declares need not be true."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LIMIT:
                raise HTTPException(413, f"the body is larger than {LIMIT // 1024} KiB")
            return message

        await self._app(scope, counted, send)
