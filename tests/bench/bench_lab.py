"""What the lab itself computes, each beside the least that any program would have to do: `make bench`.

Read the factor in brackets, not the seconds. The names of references begin with `least`.
"""

from __future__ import annotations

import json
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console
from test_recorded import RECORDED, judged

from lab.journal import Journal, read
from lab.judge import judge
from lab.lint.exposition import read as read_page
from lab.outcome import outcome, to_json
from lab.report.terminal import TerminalStory
from lab.timescale import compress_rules

ROOT = Path(__file__).resolve().parent.parent.parent
JOURNAL = RECORDED / "cardinality" / "pass.jsonl"
SERIES = 20_000


def group(name: str) -> Any:
    return pytest.mark.benchmark(group=name, disable_gc=True)


# The journal

RECORDING = read(JOURNAL)
ENTRIES = [*RECORDING.history.samples, *RECORDING.history.events]
LINES = [json.loads(line) for line in JOURNAL.read_text().splitlines()]
_numbers = count()


@group("journal: write a run")
def test_write(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    assert RECORDING.header is not None
    told = RECORDING.header

    def write() -> None:
        journal = Journal(tmp_path / f"{next(_numbers)}.jsonl", told)
        for entry in ENTRIES:
            journal.record(entry)
        journal.close()

    benchmark(write)


@group("journal: write a run")
def test_least_write(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    def write() -> None:
        with (tmp_path / f"{next(_numbers)}.jsonl").open("w") as file:
            for line in LINES:
                file.write(json.dumps(line) + "\n")
                file.flush()

    benchmark(write)


@group("journal: read a run")
def test_read(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(read, JOURNAL).history.samples) == len(RECORDING.history.samples)


@group("journal: read a run")
def test_least_read(benchmark: BenchmarkFixture) -> None:
    benchmark(lambda: [json.loads(line) for line in JOURNAL.read_text().splitlines()])


@group("journal: judge a run")
def test_judge(benchmark: BenchmarkFixture) -> None:
    from lab.catalog import find

    assert RECORDING.header is not None
    scenario = find("cardinality").scenario
    judgement = benchmark(judge, scenario, RECORDING.header, RECORDING.history)
    assert judgement.verdict.value == "pass"


@group("journal: judge a run")
def test_least_judge(benchmark: BenchmarkFixture) -> None:
    """Every value of the run is looked at once."""
    benchmark(lambda: [sum(sample.values.values()) for sample in RECORDING.history.samples])


# The exposition format


@pytest.fixture(scope="module")
def page() -> bytes:
    registry = CollectorRegistry()
    queries = Counter("queries", "By user.", ["user_id", "status"], registry=registry)
    seconds = Histogram("seconds", "By endpoint.", ["endpoint"], registry=registry)
    for number in range(SERIES // 2):  # a counter has a line for the moment it was made, too
        queries.labels(f"user-{number:06d}", "success").inc()
    for number in range(20):
        seconds.labels(f"/api/{number}").observe(0.2)
    return generate_latest(registry)


@group("exposition: parse a page of 20,000 lines")
def test_parse(benchmark: BenchmarkFixture, page: bytes) -> None:
    assert benchmark(read_page, [page], lambda *_: None, lambda *_: None) > SERIES


@group("exposition: parse a page of 20,000 lines")
def test_least_parse(benchmark: BenchmarkFixture, page: bytes) -> None:
    """The least: cut the lines at their quotes."""
    benchmark(lambda: [line.split(b'"') for line in page.splitlines()])


@group("exposition: parse a page of 20,000 lines")
def test_parser_of_prometheus_client(benchmark: BenchmarkFixture, page: bytes) -> None:
    text = page.decode()
    benchmark.pedantic(lambda: [len(f.samples) for f in text_string_to_metric_families(text)], rounds=5)


# Re-timing

RULES = {
    path: path.read_text()
    for folder in ("compose/prometheus", "scenarios")
    for path in sorted((ROOT / folder).rglob("*.yml"))
    if ("rules" in path.name or path.parent.name in ("rules", "observer-rules")) and ".test." not in path.name
}


@group("re-timing: every rule file of the lab")
def test_retime(benchmark: BenchmarkFixture) -> None:
    def retime() -> list[str]:
        return [compress_rules(text, 15.0, filename=str(path), min_for_s=None) for path, text in RULES.items()]

    assert len(benchmark(retime)) >= 5


@group("re-timing: every rule file of the lab")
def test_least_retime(benchmark: BenchmarkFixture) -> None:
    """YAML and PromQL are parsed once, and nothing is done with them."""

    def parse() -> None:
        for text in RULES.values():
            for rules in yaml.safe_load(text)["groups"]:
                for rule in rules["rules"]:
                    promql_parser.parse(rule["expr"])

    benchmark(parse)


# The report


@group("report: of a run")
def test_terminal(benchmark: BenchmarkFixture) -> None:
    found = _outcome()

    def tell() -> str:
        console = Console(file=StringIO(), width=160)
        TerminalStory(console).end(found)
        return console.file.getvalue()  # type: ignore[attr-defined]

    assert "PASS" in benchmark(tell)


@group("report: of a run")
def test_json(benchmark: BenchmarkFixture) -> None:
    found = _outcome()
    benchmark(lambda: json.dumps(to_json(found), indent=2))


@group("report: of a run")
def test_least_report(benchmark: BenchmarkFixture) -> None:
    told = to_json(_outcome())
    benchmark(lambda: json.dumps(told, indent=2))


def _outcome() -> Any:
    judgement, recording = judged("cardinality/pass")
    assert recording.header is not None
    return outcome(recording.header, recording.history, judgement)
