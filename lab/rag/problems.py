"""Failed requests as JSON: one shape, whoever is at fault."""

import math
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lab.rag.errors import ForbiddenError, RateLimitedError, ServiceError
from lab.rag.schemas import Problem


def add_error_handlers(app: FastAPI) -> None:
    """Answer every failure with a Problem, except for a body of the wrong shape, which has FastAPI's own."""

    @app.exception_handler(ServiceError)
    async def failed(_: Request, error: ServiceError) -> JSONResponse:
        headers = None
        if isinstance(error, RateLimitedError):
            headers = {"Retry-After": str(math.ceil(error.retry_after_s))}
        return _problem(error.http_status, error.error_type, str(error), headers)

    @app.exception_handler(ForbiddenError)
    async def forbidden(_: Request, error: ForbiddenError) -> JSONResponse:
        return _problem(403, "forbidden", str(error))

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return _problem(error.status_code, name, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input, which the default answer echoes: it may hold what JSON cannot (a lone surrogate, nan).
        found = [{"type": e["type"], "loc": e["loc"], "msg": e["msg"]} for e in error.errors()]
        return JSONResponse({"detail": found}, 422)


def _problem(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(Problem(error=error, message=message).model_dump(), status, headers=headers)
