"""`lab lint metrics`: each rule on a page that breaks it and on one that does not; sources; the command."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, generate_latest

from lab.cli import lab
from lab.errors import UsageError
from lab.install import BinaryError, find
from lab.lint import growth, label_count, required, source, value_shape
from lab.lint.exposition import ExpositionError
from lab.lint.finding import Level
from lab.lint.metrics import Report, lint
from lab.lint.page import MAX_VALUES, Page, survey
from lab.lint.remedy import relabelling
from lab.rag.deployment import load_metrics, start_metrics
from lab.rag.record import QueryRecord

ROOT = Path(__file__).resolve().parents[2]


def page(*lines: str) -> Page:
    return survey(["\n".join(lines).encode()])


def labelled(values: list[str], label: str = "a") -> list[str]:
    return [f'x_total{{{label}="{value}"}} 1' for value in values]


def words(n: int) -> list[str]:
    return [f"w{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676)}" for i in range(n)]


@pytest.mark.parametrize(
    ("values", "expected"), [(10, []), (11, [Level.WARNING]), (100, [Level.WARNING]), (101, [Level.ERROR])]
)
def test_label_count(values: int, expected: list[Level]):
    assert [f.level for f in label_count.check(page(*labelled(words(values))))] == expected


def test_label_count_is_by_metric_and_not_of_buckets():
    buckets = [f'h_bucket{{a="{a}",le="{le}"}} 1' for a in "bc" for le in range(300)]
    apart = [f'x{n}_total{{a="{word}"}} 1' for n in range(20) for word in words(200)[n * 10 : n * 10 + 10]]
    assert list(label_count.check(page(*buckets, *apart))) == []


def test_a_histogram_is_one_family():
    lines = [f'h{part}{{t="{v}"{le}}} 1' for v in words(101) for part, le in (("_bucket", ',le="1"'), ("_sum", ""))]
    (finding,) = label_count.check(page("# TYPE h histogram", *lines))
    assert (finding.where, finding.text) == ("h{t}", "101 values, over 100; 202 series")


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (["8f14e45f-ceea-467f-a0e6-1b2d3c4d5e6f", "9f14e45f-ceea-467f-a0e6-1b2d3c4d5e6f"], "a UUID"),
        (["1763971200.123456", "1763971201.5"], "a timestamp"),
        (["1763971200123", "1763971200456"], "a timestamp"),
        (["2026-11-24T09:40:00Z", "2026-11-24T09:41:00Z"], "a timestamp"),
        (["user-00017", "user-00018"], "an id"),
        (["904112", "904113"], "an id"),
        (["9b74c9897bac770f", "9b74c9897bac7710"], "an id"),
        (["req_01h455vb4pex5vsknk084sn02q", "req_01h455vb4pex5vsknk084sn02r"], "an id"),
        (["ann@example.org", "bob@example.org"], "an e-mail address"),
        (["Why is it that the login page stops after a while?", "How do I roll back, and what is lost?"], "text"),
    ],
)
def test_value_shape(values: list[str], shape: str):
    (finding,) = value_shape.check(page(*labelled(values)))
    assert (finding.level, finding.text.split(", such")[0]) == (Level.ERROR, f"values look like {shape}")
    (alone,) = value_shape.check(page(*labelled(values[:1])))
    assert alone.level is Level.WARNING, "one value may be a constant"


@pytest.mark.parametrize(
    "values",
    [
        ["GET", "POST"], ["200", "404"], ["0.5", "0.99"], ["gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo"],
        ["text-embedding-3-small"], ["/api/v1/query", "/api/v1/query_range"], ["hit", "miss"], ["10.0.0.1:9090"],
        ["prometheus:9090", "rag:8001"], ["eu-west-1a", "us-east-1b"], ["", "x"], ["v2.42.0", "v3.5.3"],
        ["not found", "context deadline exceeded"], ["defaced", "facade", "acceded"], ["c5.24xlarge", "m6i.metal"],
        ["user-00017", "anonymous", "internal"],
    ],
)  # fmt: skip
def test_bounded_values_have_no_shape(values: list[str]):
    assert list(value_shape.check(page(*labelled(values)))) == []


def test_an_info_metric_may_carry_an_id():
    assert list(value_shape.check(page('build_info{revision="9b74c9897bac770ffc029102a200c5de"} 1'))) == []


def test_growth():
    first, second = page(*labelled(words(5))), page(*labelled(words(5) + [f"n{w}" for w in words(11)]))
    (finding,) = growth.check(first, second, 3)
    assert (finding.level, finding.text) == (Level.ERROR, "11 new values in 3 s; +11 series")
    a_few = page(*labelled([*words(5), "n", "m", "o"]))
    assert [f.level for f in growth.check(first, a_few, 3)] == [Level.WARNING]
    assert list(growth.check(first, page(*labelled([*words(5), "n", "m"])), 3)) == []
    assert list(growth.check(second, second, 3)) == []
    assert list(growth.check(page("other 1"), second, 3)) == [], "a metric that is new has not grown"


def test_growth_sees_values_come_and_go():
    first, second = page(*labelled(words(20))), page(*labelled([f"n{w}" for w in words(20)]))
    assert [f.level for f in growth.check(first, second, 1)] == [Level.ERROR]


def test_required():
    seen = page("# TYPE h histogram", 'h_bucket{le="1"} 1', "h_sum 1", "h_count 1", "# TYPE gone counter", "x_total 1")
    assert list(required.check(seen, ["h", "h_count", "x_total"])) == []
    found = {f.metric: f.text for f in required.check(seen, ["x_totals", "gone", "nothing_like_it"])}
    assert found == {"x_totals": "missing; there is x_total", "gone": "missing", "nothing_like_it": "missing"}


def query(n: int) -> QueryRecord:
    return QueryRecord(
        query_id=f"q{n:024x}", user_id=f"user-{n:05d}", query_text=f"Question {n}: {'why does it stop ' * 5}?",
        endpoint="/query", cache_status="hit" if n % 2 else "miss", model="cached" if n % 2 else "gpt-4o",
        status="success", timestamp=1763971200.25 + n, duration_s=0.1,
    )  # fmt: skip


def exposed(metrics_file: Path | None, queries: int) -> bytes:
    registry, metrics = start_metrics(load_metrics(metrics_file), metrics_file)
    for n in range(queries):
        metrics.record(query(n))
    return generate_latest(registry)


@pytest.mark.parametrize(
    ("file", "culprits"),
    [
        (None, set()),
        ("cardinality/fixed", set()),
        ("label_leak/fixed", set()),
        ("cardinality/broken", {"rag_queries_total{query_text}", "rag_queries_total{user_id}"}),
        ("label_leak/broken", {"rag_query_duration_seconds{timestamp}"}),
    ],
)
@pytest.mark.parametrize("queries", [10, 200])
def test_the_deployments_of_the_scenarios(file: str | None, culprits: set[str], queries: int, tmp_path: Path):
    target = tmp_path / "page"
    target.write_bytes(exposed(ROOT / "scenarios" / file / "metrics.py" if file else None, queries))
    report = lint(str(target), require=("rag_queries_total",))
    assert {f.where for f in report.findings} == culprits, report.to_text()
    assert {f.where for f in report.findings if f.level is Level.ERROR} == culprits
    assert report.exit_code == int(bool(culprits))


def test_the_relabelling_is_ready_to_use(tmp_path: Path):
    target = tmp_path / "page"
    target.write_bytes(exposed(ROOT / "scenarios/label_leak/broken/metrics.py", 20))
    relabel = yaml.safe_load(lint(str(target)).relabel)
    regex = "rag_query_duration_seconds_(bucket|sum|count);(?s:.+)"
    assert relabel["metric_relabel_configs"] == [
        {"source_labels": ["__name__", "timestamp"], "regex": regex, "action": "drop"}
    ]
    config = {"scrape_configs": [{"job_name": "rag", "static_configs": [{"targets": ["rag:8001"]}], **relabel}]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    try:
        promtool = str(find("promtool").path)
    except BinaryError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_values_beyond_what_is_told_apart_do_not_pile_up():
    tracemalloc.start()
    seen = survey([f'x_total{{a="{n:020d}"}} 1\n'.encode() for n in range(60_000)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(seen.families["x_total"].labels["a"]) == MAX_VALUES
    assert peak < 20 * 2**20
    (finding,) = label_count.check(seen)
    assert finding.text == "10,000 or more values, over 100; 60,000 series"


def test_long_values_are_kept_short_and_told_apart():
    seen = page(*labelled(["w" * 5000 + tail for tail in ("a", "b", "b")]))
    assert sorted(map(len, seen.families["x_total"].labels["a"])) == [219, 219]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"m{n} 1" for n in range(20_001)], "over 20,000 metrics"),
        (["x{" + ",".join(f'l{n}="1"' for n in range(65)) + "} 1"], "65 labels"),
        ([f'x{{l{n}="1"}} 1' for n in range(300)], "label names"),
        (["# only a comment"], "no samples"),
        (["<html>"], "line 1"),
    ],
)
def test_what_is_no_page_is_refused(lines: list[str], said: str):
    with pytest.raises(ExpositionError, match=said):
        page(*lines)


# Sources


def unread(chunks: Iterator[bytes]) -> None:
    for _ in chunks:
        pass


def test_a_gzip_bomb_is_cut_off(tmp_path: Path):
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb", 1) as out:
        for _ in range(source.MAX_BYTES // 2**20 + 2):
            out.write(b"# \n" * (2**20 // 3))
            out.write(b"\n" * 4096)
    tracemalloc.start()
    with pytest.raises(source.SourceError, match="over 256 MiB, decompressed"):
        unread(source.pages(str(bomb), 5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\0\1\2", "binary"),
        (b"x \xff1", "not UTF-8"),
        (b"x \xc3", "not UTF-8"),
        (gzip.compress(b"x 1\n" * 1000, mtime=0)[:-9], "ends in the middle"),
        (gzip.compress(b"x 1\n", mtime=0) + b"more", "behind it"),
        (b"\x1f\x8bnot gzip at all", "not gzip"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, said: str, tmp_path: Path):
    (tmp_path / "page").write_bytes(data)
    with pytest.raises(source.SourceError, match=said):
        unread(source.pages(str(tmp_path / "page"), 5))


def test_gzip_is_read(tmp_path: Path):
    (tmp_path / "page.gz").write_bytes(gzip.compress(b"x_total 1\n", mtime=0))
    assert lint(str(tmp_path / "page.gz")).series == 1


Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def served() -> Iterator[Callable[[Answer], str]]:
    """A function that serves an answer, and gives its URL."""
    servers: list[ThreadingHTTPServer] = []

    def serve(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/metrics"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def say(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_url_is_read_compressed_or_not(served: Callable[[Answer], str]):
    assert lint(served(say(b"x_total 1\n"))).series == 1
    assert lint(served(say(gzip.compress(b"x_total 1\n", mtime=0), Content_Encoding="gzip"))).series == 1


def test_two_scrapes_show_what_grows(served: Callable[[Answer], str]):
    scrapes = iter([words(3), words(30)])
    url = served(lambda handler: say("\n".join(labelled(next(scrapes))).encode())(handler))
    report = lint(url, interval_s=0.01)
    assert [(f.rule, f.level) for f in report.findings] == [
        ("growth", Level.ERROR), ("label-count", Level.WARNING),
    ]  # fmt: skip
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (say(b"x 1", 500), "HTTP 500"),
        (say(b"", 302, Location="http://elsewhere/"), "HTTP 302"),
        (say(b"x 1", Content_Encoding="br"), "content-encoding 'br'"),
        (say(b"x 1", Content_Encoding="gzip"), "not gzip"),
        (say(b"<html>"), "line 1: not a sample: <html>"),
    ],
)
def test_a_url_without_a_page_is_bad_input(answer: Answer, said: str, served: Callable[[Answer], str]):
    done = CliRunner().invoke(lab, ["lint", "metrics", served(answer)])
    assert said in str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 2


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: ", b""], ids=["page", "head", "all"]
)
def test_what_drips_is_given_up(head: bytes, served: Callable[[Answer], str]):
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        begins = True
        while not over.wait(0.05):
            try:
                handler.wfile.write(head if begins else b"#")
                handler.wfile.flush()
            except OSError:
                return
            begins = False

    began = time.monotonic()
    with pytest.raises(source.SourceError, match=r"not read within 0\.3 s"):
        lint(served(drip), timeout_s=0.3)
    assert time.monotonic() - began < 2
    over.set()


def test_nobody_there():
    with pytest.raises(source.SourceError, match="refused"):
        lint("http://127.0.0.1:1/metrics")


# The command


def test_the_command(tmp_path: Path):
    target = tmp_path / "page"
    target.write_text("\n".join(labelled(words(101), "who")))
    done = CliRunner().invoke(lab, ["lint", "metrics", str(target), "--require", "y_total"], standalone_mode=False)
    assert done.return_value == 1
    assert "error   x_total{who}: 101 values, over 100; 101 series [label-count]" in done.output
    assert "error   y_total: missing" in done.output
    assert "metric_relabel_configs:" in done.output
    assert done.output.endswith("101 series of 1 metrics; 2 errors, 0 warnings\n")
    told = CliRunner().invoke(lab, ["lint", "metrics", str(target), "--json"], standalone_mode=False)
    found = json.loads(told.output)
    assert (told.return_value, found["exit_code"], found["series"]) == (1, 1, 101)
    assert found["findings"][0] == {
        "level": "error", "rule": "label-count", "metric": "x_total", "label": "who",
        "text": "101 values, over 100; 101 series",
    }  # fmt: skip


def test_a_healthy_page_is_0(tmp_path: Path):
    (tmp_path / "page").write_bytes(generate_latest(CollectorRegistry()) + b"up 1\n")
    done = CliRunner().invoke(lab, ["lint", "metrics", str(tmp_path / "page")], standalone_mode=False)
    assert done.return_value == 0
    assert done.output.endswith("1 series of 1 metrics; 0 errors, 0 warnings\n")


@pytest.mark.parametrize("options", [["--interval", "5"], ["--interval", "-1"], ["--interval", "nan"]])
def test_a_file_does_not_change(options: list[str], tmp_path: Path):
    (tmp_path / "page").write_text("up 1\n")
    done = CliRunner().invoke(lab, ["lint", "metrics", str(tmp_path / "page"), *options])
    assert getattr(done.exception, "exit_code", None) == 2


@pytest.mark.parametrize(("options", "said"), [
    (["https://"], "https://: no URL; give the metrics endpoint, such as http://127.0.0.1:8001/metrics"),
    (["ftp://x/y"], "ftp://x/y: no URL; give the metrics endpoint"), (["http:///m"], "http:///m: no URL; give"),
    (["page", "--timeout", "-1"], "--timeout -1: not over 0 and at most 600 seconds"),
    (["http://127.0.0.1:1/", "--timeout", "nan"], "--timeout nan: not over 0"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["metrics", "smoke"])
def test_what_is_no_url_and_no_time_is_told_alike(command: str, options: list[str], said: str):
    if command == "smoke" and options[0] == "page":
        options = ["http://127.0.0.1:1/", *options[1:]]
    done = CliRunner().invoke(lab, ["lint", command, *options])
    assert getattr(done.exception, "exit_code", None) == 2
    assert str(done.exception).startswith(said)


def test_of_two_shapes_that_are_as_common_it_is_always_the_same():
    found = [value_shape._common(values) for values in ([b"123456", b"a b c d e"], [b"a b c d e", b"123456"])]
    assert found == [("an id", "123456")] * 2


def test_it_looks_at_the_same_values_each_time():
    values = [str(10**8 + n).encode() for n in range(500)]
    assert value_shape._common(values) == value_shape._common(values[::-1])


def linted(*lines: str) -> Report:
    made = page(*lines)
    found = [*label_count.check(made), *value_shape.check(made)]
    return Report("a page", len(made.families), made.series, tuple(found), relabelling(made, found))


def test_the_relabelling_drops_values_with_line_ends_and_shows_no_control_characters():
    questions = labelled([rf"what is it\nfor {n} of them" for n in range(200)])
    told = linted(*questions, *(f'{{"a\x1b[31mx","l\x1b[2J"="{n}"}} 1' for n in (1234567, 1234568)))
    regexes = [rule["regex"] for rule in yaml.safe_load(told.relabel)["metric_relabel_configs"]]
    assert "x_total;(?s:.+)" in regexes
    assert re.fullmatch("x_total;(?s:.+)", "x_total;two\nlines")
    assert any("\x1b" in regex for regex in regexes), "the name itself, escaped in the file"
    assert all(c.isprintable() or c == "\n" for c in told.to_text())


def test_what_is_behind_a_gzip_is_not_read():
    read: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield gzip.compress(b"x 1\n") + b"\0"
        read.append(1)
        yield bytes(1 << 20)

    with pytest.raises(source.SourceError, match="gzip with something behind it"):
        list(source._unzipped(chunks(), "x.gz"))
    assert not read


@pytest.mark.parametrize("command", ["metrics", "smoke"])
def test_a_port_that_is_none_is_bad_input(command: str):
    done = CliRunner().invoke(lab, ["lint", command, "http://127.0.0.1:99999/metrics"])
    assert isinstance(done.exception, UsageError)
    assert "no URL" in str(done.exception)


def test_standard_input_that_is_closed_is_bad_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(source.SourceError, match="standard input is closed"):
        list(source.pages("-", 1.0))
