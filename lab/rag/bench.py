"""`python -m lab.rag.bench`: what instrumentation costs a request, and the service against a bare one.

Both run on loopback only. Rounds alternate between the two, so that a busy machine disturbs both alike.
"""

import argparse
import asyncio
import io
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.rag.load import Measured, drive, queries
from lab.rag.local import running

CONNECTIONS = 24
BARE_FLAG = "--serve-bare"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians over the rounds."""

    full_rate: float  # requests a second
    bare_rate: float
    full_cpu_us: float  # processor microseconds a request
    bare_cpu_us: float
    failures: int

    @property
    def rate_ratio(self) -> float:
        """Requests a second of the service per one of the bare application."""
        return self.full_rate / self.bare_rate

    @property
    def cpu_ratio(self) -> float:
        """The same from processor time, which neighbours on the machine disturb less."""
        return self.bare_cpu_us / self.full_cpu_us


def compare(rounds: int, seconds: float) -> Comparison:
    """Drive both in turn, `rounds` times for `seconds` each, after a round that does not count."""
    with running() as full, running(command=("-m", "lab.rag.bench", BARE_FLAG)) as bare:
        results: dict[int, list[tuple[Measured, float]]] = {full.port: [], bare.port: []}
        for number in range(rounds + 1):
            for one in (full, bare):
                before = one.cpu_s()
                measured = asyncio.run(drive(one.port, seconds, CONNECTIONS, queries(number)))
                if number:
                    results[one.port].append((measured, one.cpu_s() - before))
    return Comparison(
        full_rate=statistics.median(measured.rate for measured, _ in results[full.port]),
        bare_rate=statistics.median(measured.rate for measured, _ in results[bare.port]),
        full_cpu_us=statistics.median(cpu / measured.requests * 1e6 for measured, cpu in results[full.port]),
        bare_cpu_us=statistics.median(cpu / measured.requests * 1e6 for measured, cpu in results[bare.port]),
        failures=sum(measured.failures for rounds_ in results.values() for measured, _ in rounds_),
    )


def instrumentation_us(repeats: int = 5, calls: int = 2000) -> dict[str, float]:
    """Microseconds that each part of the instrumentation takes for one query that asked a model."""
    from lab.rag.log import BufferedHandler, EventLog, LineFormatter
    from lab.rag.metrics import Metrics, new_registry
    from lab.rag.record import QueryRecord

    handler = BufferedHandler(io.StringIO())
    handler.setFormatter(LineFormatter("rag", "bench"))
    log = EventLog(handler)
    metrics = Metrics(new_registry())
    query = QueryRecord(
        "0" * 32, "user-1", QUESTION, "/query", "miss", "gpt-4o", "success", time.time(), 0.006, 0.0001, 4, 0.7,
        0.9, 400, 170, (("text-embedding-3-small", 1), ("gpt-4o", 4550)),
    )  # fmt: skip
    return {
        "metrics": _fastest_us(lambda: metrics.record(query), repeats, calls),
        "log": _fastest_us(lambda: log.query(query), repeats, calls),
    }


QUESTION = "How do I restart a service without losing requests?"


def _fastest_us(work: Callable[[], None], repeats: int, calls: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(calls):
            work()
        times.append(time.perf_counter() - began)
    return min(times) / calls * 1e6


def _serve_bare(argv: list[str]) -> None:
    from lab.rag.app import create_app
    from lab.rag.bare import build_bare
    from lab.rag.log import open_log
    from lab.rag.server import listen, run
    from lab.rag.settings import parse

    settings = parse(argv)
    service = build_bare(settings, open_log(settings.log_file, settings.service, settings.environment))
    run(create_app(service), [listen(settings.host, settings.port)])


def main(argv: list[str]) -> None:
    """Measure and print."""
    if argv[:1] == [BARE_FLAG]:
        _serve_bare(argv[1:])
        return
    parser = argparse.ArgumentParser(prog="python -m lab.rag.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of a round")
    options = parser.parse_args(argv)
    lines = [f"{part:<9} {us:6.1f} us a query" for part, us in instrumentation_us().items()]
    found = compare(options.rounds, options.seconds)
    lines += [
        f"service   {found.full_rate:6.0f} requests/s, {found.full_cpu_us:4.0f} us of processor time a request",
        f"bare      {found.bare_rate:6.0f} requests/s, {found.bare_cpu_us:4.0f} us of processor time a request",
        f"ratio     {found.rate_ratio:6.2f} by requests/s, {found.cpu_ratio:.2f} by processor time",
        f"failures  {found.failures:6d}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
