"""The structured log: one JSON object a line. Users and query texts live here and only here."""

import io
import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from lab.rag.errors import ConfigError
from lab.rag.record import QueryRecord

TEXT_LIMIT = 500  # characters of a query's text that are kept
LOGGER = "lab.rag"


class LineFormatter(JsonFormatter):
    """Adds what every line has. All but ASCII is escaped, so no text can break a line in two."""

    def __init__(self, service: str, environment: str) -> None:
        super().__init__("%(message)s", json_ensure_ascii=True)
        self._everywhere = {"service": service, "environment": environment}

    def add_fields(self, log_record: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """The fixed fields first, then those of the event."""
        log_record["timestamp"] = rfc3339(record.created)
        log_record["level"] = record.levelname
        log_record["message"] = record.getMessage()
        log_record["logger"] = record.name
        log_record.update(self._everywhere)
        log_record.update(record.__dict__.get("fields", {}))


class BufferedHandler(logging.Handler):
    """Writes in blocks; `flush_lines` is called at least each second and at the end.

    A write that fails (a full disk, a closed pipe) is said once on stderr and does not fail a query.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []
        self._writing = threading.Lock()
        self._complained = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line until the next flush."""
        self._lines.append(self.format(record))

    def flush(self) -> None:
        """Write what was kept."""
        with self._writing:
            lines, self._lines = self._lines, []
            if not lines:
                return
            lines.append("")
            try:
                self._stream.write("\n".join(lines))
                self._stream.flush()
            except (OSError, ValueError) as error:
                if not self._complained:
                    self._complained = True
                    print(f"rag: cannot write the log: {error}", file=sys.stderr)  # noqa: T201


class EventLog:
    """The events that the service logs, each a method."""

    def __init__(self, handler: BufferedHandler) -> None:
        self._handler = handler
        self._logger = logging.Logger(LOGGER)
        self._logger.addHandler(handler)

    def query(self, query: QueryRecord) -> None:
        """One finished query: an `error` event when it failed, a `query` event otherwise."""
        fields = _query_fields(query)
        if query.error is None:
            self._write(logging.INFO, "query answered", fields)
            return
        fields["event_type"] = "error"
        fields["error_type"] = query.error_type
        fields["error_message"] = str(query.error)[:TEXT_LIMIT]
        fields["context"] = {"endpoint": query.endpoint, "component": query.component}
        fields["traceback"] = "".join(traceback_lines(query.error))
        self._write(logging.ERROR, "query failed", fields)

    def failure(self, error_type: str, component: str, error: BaseException) -> None:
        """A failure that failed no query."""
        fields = {
            "event_type": "error",
            "error_type": error_type,
            "error_message": str(error)[:TEXT_LIMIT],
            "context": {"component": component},
            "traceback": "".join(traceback_lines(error)),
        }
        self._write(logging.ERROR, f"{component} failed", fields)

    def stats(self, event_type: str, message: str, facts: dict[str, Any]) -> None:
        """A summary: `cache_stats` or `model_stats`."""
        self._write(logging.INFO, message, {"event_type": event_type, **facts})

    def flush(self) -> None:
        """Write out what is buffered."""
        self._handler.flush()

    def _write(self, level: int, message: str, fields: dict[str, Any]) -> None:
        # Not Logger.info: it walks the stack to find a caller that no field shows.
        record = logging.LogRecord(LOGGER, level, "", 0, message, None, None)
        record.fields = fields
        self._logger.handle(record)


def _query_fields(query: QueryRecord) -> dict[str, Any]:
    return {
        "event_type": "query",
        "query_id": query.query_id,
        "user_id": query.user_id,
        "query_text": query.query_text[:TEXT_LIMIT],
        "query_length": len(query.query_text),
        "cache_hit": query.cache_status == "hit",
        "model": query.model,
        "status": query.status,
        "latency_ms": round(query.duration_s * 1000, 3),
        "cost_usd": query.cost_usd,
        "tokens_total": query.tokens_total,
    }


def traceback_lines(error: BaseException) -> list[str]:
    """The traceback as Python prints it."""
    import traceback

    return traceback.format_exception(error, limit=-3)


def rfc3339(unix_s: float) -> str:
    """A time as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")


def open_log(path: Path | None, service: str, environment: str) -> EventLog:
    """The log to a file, or to stdout. Raises ConfigError when the file cannot be written."""
    if path is None:
        # stdout's own encoding may not be able to write everything; the lines are ASCII.
        stream: TextIO = io.TextIOWrapper(sys.stdout.buffer, "ascii", write_through=False)
    else:
        try:
            stream = path.open("a", encoding="ascii")
        except OSError as error:
            raise ConfigError(f"--log-file {path}: {error.strerror}") from error
    handler = BufferedHandler(stream)
    handler.setFormatter(LineFormatter(service, environment))
    return EventLog(handler)
