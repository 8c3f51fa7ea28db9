"""The HTTP interface of the service."""

import asyncio
import contextlib
import dataclasses
import math
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from lab.rag import VERSION
from lab.rag.admin import ForbiddenError, admin_router
from lab.rag.body_limit import BodyLimit
from lab.rag.cost_report import cost_report
from lab.rag.errors import RateLimitedError, ServiceError
from lab.rag.pipeline import Answer
from lab.rag.schemas import (
    CostReport,
    Dependency,
    Health,
    Problem,
    QueryAnswer,
    QueryRequest,
    Ready,
)
from lab.rag.service import Service

QUERY = "/query"
FAILURES: dict[int | str, dict[str, object]] = {
    429: {"model": Problem, "description": "The provider's rate limit is reached; see Retry-After"},
    502: {"model": Problem, "description": "The model failed"},
    503: {"model": Problem, "description": "The vector index is missing, or the service stops"},
}


def create_app(service: Service) -> FastAPI:
    """The application around a service; its lifespan keeps house."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        housekeeping = asyncio.create_task(service.keep_house())
        try:
            yield
        finally:
            housekeeping.cancel()
            await service.close()

    app = FastAPI(title="RAG service", version=VERSION, lifespan=lifespan)
    app.add_middleware(BodyLimit)
    _add_error_handlers(app)
    _add_query(app, service)
    _add_probes(app, service)
    _add_costs(app, service)
    app.include_router(admin_router(service))
    return app


def _add_query(app: FastAPI, service: Service) -> None:
    default_top_k = service.settings.top_k

    @app.post(QUERY, response_model=QueryAnswer, responses=FAILURES)
    async def query(request: QueryRequest) -> JSONResponse:
        """Answer a question from the documents."""
        top_k = request.top_k or default_top_k
        answer = await service.pipeline.answer(QUERY, request.user_id, request.query, top_k)
        # A ready-made response: to validate our own answer would cost more than to make it.
        return JSONResponse(_answer_json(answer))


def _answer_json(answer: Answer) -> dict[str, object]:
    reply = answer.reply
    return {
        "query_id": answer.query_id,
        "answer": reply.text,
        "documents": [
            {"id": document.id, "title": document.title, "text": document.text, "relevance": relevance}
            for document, relevance in zip(reply.documents, reply.relevance, strict=True)
        ],
        "cached": reply.cached,
        "model": reply.model,
        "quality": round(reply.quality, 4),
        "tokens": {"input": reply.input_tokens, "output": reply.output_tokens},
        "cost_usd": reply.cost_nano_usd / 1e9,
        "latency_ms": round(answer.latency_s * 1000, 3),
    }


def _add_probes(app: FastAPI, service: Service) -> None:
    def uptime_s() -> float:
        return round(time.monotonic() - service.started, 3)

    @app.get("/health", tags=["probes"])
    async def health() -> Health:
        """Liveness: the process answers. No dependency is asked, else their failure would restart us."""
        return Health(status="ok", uptime_s=uptime_s())

    @app.get("/ready", tags=["probes"], response_model=Ready, responses={503: {"model": Ready}})
    async def ready() -> JSONResponse:
        """Readiness: 200 only when every dependency answers in time."""
        statuses = await service.readiness.check()
        well = all(status.ok for status in statuses.values())
        body = Ready(
            status="ready" if well else "not ready",
            uptime_s=uptime_s(),
            dependencies={name: Dependency(**dataclasses.asdict(status)) for name, status in statuses.items()},
        )
        return JSONResponse(body.model_dump(), 200 if well else 503)


def _add_costs(app: FastAPI, service: Service) -> None:
    @app.get("/costs", tags=["costs"], responses={503: {"model": Problem}})
    async def read_costs() -> CostReport:
        """What was spent, by period and model, and what that comes to."""
        return cost_report(await service.costs.report())


def _add_error_handlers(app: FastAPI) -> None:
    def problem(status: int, error: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
        body = Problem(error=error, message=message)
        return JSONResponse(body.model_dump(), status, headers=headers)

    @app.exception_handler(ServiceError)
    async def failed(_: Request, error: ServiceError) -> JSONResponse:
        headers = None
        if isinstance(error, RateLimitedError):
            headers = {"Retry-After": str(math.ceil(error.retry_after_s))}
        return problem(error.http_status, error.error_type, str(error), headers)

    @app.exception_handler(ForbiddenError)
    async def forbidden(_: Request, error: ForbiddenError) -> JSONResponse:
        return problem(403, "forbidden", str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input, which the default answer echoes: it may hold what JSON cannot (a lone surrogate, nan).
        found = [{"type": e["type"], "loc": e["loc"], "msg": e["msg"]} for e in error.errors()]
        return JSONResponse({"detail": found}, 422)
