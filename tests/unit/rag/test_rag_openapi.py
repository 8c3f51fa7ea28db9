"""Schemathesis sends what the OpenAPI document allows, and what it does not: nothing may end in a 500."""

import io

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from lab.rag.admin import turn
from lab.rag.app import create_app
from lab.rag.log import BufferedHandler, EventLog, LineFormatter
from lab.rag.metrics import Metrics, new_registry
from lab.rag.schemas import SwitchesChange
from lab.rag.service import build
from lab.rag.settings import Settings

TOKEN = "let-me-in"
RESET = SwitchesChange(**dict.fromkeys(SwitchesChange.model_fields))

handler = BufferedHandler(io.StringIO())
handler.setFormatter(LineFormatter("rag", "test"))
service = build(Settings(admin_token=TOKEN, llm_latency_ms=0.0), Metrics(new_registry()), EventLog(handler))
app = create_app(service)


async def from_loopback(scope, receive, send):
    """The test client calls itself `testclient`, which the admin switches refuse."""
    await app({**scope, "client": ("127.0.0.1", 50000)} if scope["type"] == "http" else scope, receive, send)


schema = schemathesis.openapi.from_asgi("/openapi.json", from_loopback)
load_all_checks()
PROMISES = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_ends_in_a_server_error(case):
    turn(service, RESET)  # an earlier case may have switched the model off
    case.call_and_validate(headers={"X-Admin-Token": TOKEN}, checks=PROMISES)


def test_every_operation_is_exercised():
    found = {f"{result.ok().method.upper()} {result.ok().path}" for result in schema.get_all_operations()}
    assert found == {
        "POST /query",
        "GET /health",
        "GET /ready",
        "GET /costs",
        "GET /admin/switches",
        "POST /admin/switches",
    }
