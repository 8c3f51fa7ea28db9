"""The log is read by machines: every line is one JSON object, whatever a user typed."""

import io
import json
import re
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.rag.errors import ModelFailedError
from lab.rag.log import TEXT_LIMIT, BufferedHandler, EventLog, LineFormatter
from lab.rag.record import QueryRecord

EVERYWHERE = {"timestamp", "level", "message", "logger", "event_type", "service", "environment"}
PER_QUERY = {
    "query_id", "user_id", "query_text", "query_length", "cache_hit", "model", "latency_ms", "cost_usd",
    "tokens_total",
}  # fmt: skip


def record(text: str = "hello", user: str = "user-1", error: BaseException | None = None) -> QueryRecord:
    return QueryRecord(
        query_id="q-1",
        user_id=user,
        query_text=text,
        endpoint="/query",
        cache_status="miss",
        model="gpt-4o",
        status="error" if error else "success",
        timestamp=0.0,
        duration_s=0.25,
        input_tokens=100,
        output_tokens=20,
        charges=(("gpt-4o", 1500),),
        error_type="model_error" if error else None,
        component="llm" if error else None,
        error=error,
    )


def written(query: QueryRecord) -> str:
    stream = io.StringIO()
    handler = BufferedHandler(stream)
    handler.setFormatter(LineFormatter("rag", "test"))
    log = EventLog(handler)
    log.query(query)
    log.flush()
    return stream.getvalue()


ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=700)


@given(text=ANY_TEXT, user=ANY_TEXT)
@example(text='a"b\\c\r\n\x00\x1b[31m\u2028\u2029\x85', user="\ud800")
@example(text="x" * 5000, user="{}%s%(message)s")
def test_any_text_stays_one_valid_line(text, user):
    output = written(record(text, user))
    assert output.endswith("\n")
    assert output.isascii()
    assert len(output.splitlines()) == 1
    line = json.loads(output)
    assert line["query_text"] == text[:TEXT_LIMIT]
    assert line["query_length"] == len(text)
    assert line["user_id"] == user


def test_a_query_has_the_fields_of_the_contract():
    line = json.loads(written(record()))
    assert line.keys() >= EVERYWHERE | PER_QUERY
    assert (line["event_type"], line["level"], line["service"], line["environment"]) == (
        "query",
        "INFO",
        "rag",
        "test",
    )
    assert (line["latency_ms"], line["tokens_total"], line["cost_usd"]) == (250, 120, 1.5e-06)
    assert line["cache_hit"] is False


def test_the_time_is_rfc_3339_in_utc():
    text = json.loads(written(record()))["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+00:00)", text)
    assert datetime.fromisoformat(text).utcoffset() == timedelta(0)


def test_an_error_carries_type_message_context_and_traceback():
    try:
        raise ModelFailedError("overloaded")
    except ModelFailedError as error:
        line = json.loads(written(record(error=error)))
    assert line.keys() >= EVERYWHERE | PER_QUERY
    assert (line["event_type"], line["level"]) == ("error", "ERROR")
    assert (line["error_type"], line["error_message"]) == ("model_error", "overloaded")
    assert line["context"] == {"endpoint": "/query", "component": "llm"}
    assert "test_rag_log.py" in line["traceback"]


def test_one_line_for_each_query_failed_or_not(start):
    seen = start()
    seen.ask()
    seen.ask()
    seen.turn(error_rate=1)
    seen.ask("something else")
    assert [(line["event_type"], line["cache_hit"]) for line in seen.lines()] == [
        ("query", False),
        ("query", True),
        ("error", False),
    ]


def test_summaries_of_cache_and_models(start):
    seen = start()
    seen.ask()
    seen.ask()
    seen.service.log_stats()
    cache, models = seen.lines()[-2:]
    assert (cache["event_type"], cache["hits"], cache["misses"]) == ("cache_stats", 1, 1)
    assert models["event_type"] == "model_stats"
    assert models["queries"]["cached"] == 1
    assert sum(models["queries"].values()) == 2
    assert cache.keys() >= EVERYWHERE


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_is_said_once_and_fails_no_query(capsys):
    handler = BufferedHandler(FullDisk())
    handler.setFormatter(LineFormatter("rag", "test"))
    log = EventLog(handler)
    for _ in range(2):
        log.query(record())
        log.flush()
    assert capsys.readouterr().err.count("No space left on device") == 1


@pytest.mark.parametrize("count", [0, 3])
def test_lines_wait_for_the_flush(count):
    stream = io.StringIO()
    handler = BufferedHandler(stream)
    handler.setFormatter(LineFormatter("rag", "test"))
    log = EventLog(handler)
    for _ in range(count):
        log.query(record())
    assert stream.getvalue() == ""
    log.flush()
    assert stream.getvalue().count("\n") == count
