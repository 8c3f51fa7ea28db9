"""The HTTP interface of the service."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from lab.rag import VERSION
from lab.rag.admin import admin_router
from lab.rag.body_limit import BodyLimit
from lab.rag.cost_report import cost_report
from lab.rag.pipeline import Answer
from lab.rag.problems import add_error_handlers
from lab.rag.schemas import (
    QUERY_PROBLEMS,
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
    add_error_handlers(app)
    _add_query(app, service)
    _add_probes(app, service)
    _add_costs(app, service)
    app.include_router(admin_router(service))
    return app


def _add_query(app: FastAPI, service: Service) -> None:
    default_top_k = service.settings.top_k

    @app.post(QUERY, response_model=QueryAnswer, responses=QUERY_PROBLEMS)
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
