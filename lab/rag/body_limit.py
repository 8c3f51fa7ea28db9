"""Refuses request bodies that are larger than any sensible query."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 64 * 1024  # bytes

ANSWER = b'{"error":"too_large","message":"the body is larger than 64 KiB"}'


class TooLargeError(Exception):
    """The body passed the limit while it was read."""


class BodyLimit:
    """Plain ASGI, so that it costs a request next to nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received; answer 413 when it is too much."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LIMIT:
                raise TooLargeError
            return message

        try:
            await self._app(scope, counted, send)
        except TooLargeError:
            headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 413, "headers": headers})
            await send({"type": "http.response.body", "body": ANSWER})
