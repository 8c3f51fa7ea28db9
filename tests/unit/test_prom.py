"""The client of the Prometheus API against a small server that answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from lab.prom import ApiError, Prometheus, unix


class Fake(ThreadingHTTPServer):
    """Answers each path with what `say` has set; remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def say(self, path: str, data: object, status: int = 200) -> None:
        self.answers[path] = (
            status,
            data if isinstance(data, str) else json.dumps({"status": "success", "data": data}),
        )


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append((url.path, parse_qs(url.query)))
        status, body = self.server.answers.get(url.path, (404, "not found"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = Fake()
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(fake: Fake) -> Iterator[Prometheus]:
    found = Prometheus(f"127.0.0.1:{fake.server_address[1]}", timeout_s=5.0)
    yield found
    found.close()


QUERY = "/api/v1/query"


def vector(*values: str) -> dict[str, object]:
    result = [{"metric": {"job": f"j{n}"}, "value": [100.5, value]} for n, value in enumerate(values)]
    return {"resultType": "vector", "result": result}


def test_a_vector(fake: Fake, client: Prometheus) -> None:
    fake.say(QUERY, vector("1.5", "+Inf"))
    found = client.query('up{x="ü&"}')
    assert [(p.labels, p.t, p.value) for p in found] == [
        ({"job": "j0"}, 100.5, 1.5),
        ({"job": "j1"}, 100.5, float("inf")),
    ]
    assert fake.asked[0] == (QUERY, {"query": ['up{x="ü&"}']})


def test_a_moment_of_the_past(fake: Fake, client: Prometheus) -> None:
    fake.say(QUERY, vector("1"))
    client.number("x", 0.0)
    assert fake.asked[0][1] == {"query": ["x"], "time": ["0.0"]}


def test_a_scalar(fake: Fake, client: Prometheus) -> None:
    fake.say(QUERY, {"resultType": "scalar", "result": [3, "4"]})
    assert [(p.labels, p.t, p.value) for p in client.query("4")] == [({}, 3.0, 4.0)]


@pytest.mark.parametrize(("values", "expected"), [((), None), (("2",), 2.0)])
def test_a_number(values: tuple[str, ...], expected: float | None, fake: Fake, client: Prometheus) -> None:
    fake.say(QUERY, vector(*values))
    assert client.number("x") == expected


@pytest.mark.parametrize(("body", "status", "said"), [
    ('{"status":"error","errorType":"timeout","error":"query timed out"}', 503, "timeout: query timed out"),
    ("<html>busy</html>", 502, "JSONDecodeError"), ("", 200, "JSONDecodeError"),
])  # fmt: skip
def test_an_error_is_an_api_error_in_the_servers_words(
    body: str, status: int, said: str, fake: Fake, client: Prometheus
) -> None:
    fake.say(QUERY, body, status)
    with pytest.raises(ApiError, match=said) as caught:
        client.query("x")
    assert caught.value.exit_code == 3


def test_nobody_there() -> None:
    client = Prometheus("127.0.0.1:9", timeout_s=1.0)
    with pytest.raises(ApiError, match="ConnectError"):
        client.query("x")
    assert client.status_of("/-/ready") == 0
    assert client.head_series() is None
    client.close()


def test_the_status_is_told(fake: Fake, client: Prometheus) -> None:
    fake.say("/-/ready", "no", 503)
    assert client.status_of("/-/ready") == 503


def test_samples_as_they_are_stored(fake: Fake, client: Prometheus) -> None:
    series = {"metric": {"job": "rag"}, "values": [[100.607, "5"], [101.607, "7"]]}
    fake.say(QUERY, {"resultType": "matrix", "result": [series]})
    assert [(s.labels, s.points) for s in client.stored("x", 15)] == [
        ({"job": "rag"}, ((100.607, 5.0), (101.607, 7.0)))
    ]
    assert fake.asked[0] == (QUERY, {"query": ["x[15s]"]})


def test_a_range(fake: Fake, client: Prometheus) -> None:
    fake.say("/api/v1/query_range", {"result": [
        {"metric": {}, "values": [[30, "1"], [40, "2"]]}, {"metric": {"a": "b"}, "values": [[20, "1"]]},
    ]})  # fmt: skip
    assert client.first_result("x", 0, 100, 10) == 20.0
    assert [s.points for s in client.results("x", 0, 100, 10)] == [((30.0, 1.0), (40.0, 2.0)), ((20.0, 1.0),)]
    assert fake.asked[0][1] == {"query": ["x"], "start": ["0"], "end": ["100"], "step": ["10"]}
    fake.say("/api/v1/query_range", {"result": []})
    assert client.first_result("x", 0, 100, 10) is None


def test_alert_rules(fake: Fake, client: Prometheus) -> None:
    rule = {
        "name": "A",
        "state": "firing",
        "query": "x > 1",
        "health": "ok",
        "lastEvaluation": "1970-01-01T00:00:05.25Z",
    }
    fake.say("/api/v1/rules", {"groups": [{"name": "g", "rules": [rule]}, {"name": "h", "rules": []}]})
    (found,) = client.alert_rules()
    assert (found.name, found.state, found.query, found.group, found.last_evaluation) == (
        "A",
        "firing",
        "x > 1",
        "g",
        5.25,
    )
    assert found.last_error == ""
    assert fake.asked[0][1] == {"type": ["alert"]}


PAGE = """# HELP prometheus_tsdb_head_series Total number of series in the head block.
# TYPE prometheus_tsdb_head_series gauge
prometheus_tsdb_head_series_created_total 7
prometheus_tsdb_head_series 1.2345e+04
x{a="prometheus_tsdb_head_series 9"} 1
"""


def test_head_series_come_from_the_page_itself(fake: Fake, client: Prometheus) -> None:
    fake.say("/metrics", PAGE)
    assert client.head_series() == 12345.0
    assert client.own_metric("nothing") is None


def test_a_metric_of_its_own_is_summed_over_its_labels(fake: Fake, client: Prometheus) -> None:
    fake.say("/metrics", '# TYPE a counter\na{type="float"} 1e+03\na{type="histogram"} 2\na_b 9\nb{x="a 7"} 5\n')
    assert client.own_metrics("a", "b", "c") == {"a": 1002.0, "b": 5.0}


def test_the_ranking(fake: Fake, client: Prometheus) -> None:
    rows = [{"name": "m", "value": 9}, {"name": "n", "value": 3}]
    fake.say("/api/v1/status/tsdb", {"seriesCountByMetricName": rows, "labelValueCountByLabelName": rows[1:]})
    found = client.ranked()
    assert (found.metrics, found.labels) == ((("m", 9), ("n", 3)), (("n", 3),))
    fake.say("/api/v1/label/user_id/values", ["a", "b"])
    assert client.label_values("user_id", "m") == 2
    assert fake.asked[-1][1] == {"match[]": ["m"]}


def test_scrape_errors_of_targets_that_are_down(fake: Fake, client: Prometheus) -> None:
    fake.say("/api/v1/targets", {"activeTargets": [
        {"labels": {"job": "rag"}, "health": "down", "lastError": "connection refused"},
        {"labels": {"job": "host"}, "health": "up", "lastError": ""},
    ]})  # fmt: skip
    assert client.scrape_errors() == {"rag": "connection refused"}


def test_the_version(fake: Fake, client: Prometheus) -> None:
    fake.say("/api/v1/status/buildinfo", {"version": "2.42.0"})
    assert client.version() == "2.42.0"


@pytest.mark.parametrize(("text", "expected"), [
    ("1970-01-01T00:00:05Z", 5.0), ("1970-01-01T01:00:05.123456789+01:00", 5.123456789),
    ("1970-01-01T00:00:05-00:30", 1805.0), ("1970-01-01T00:00:00.5Z", 0.5), ("0001-01-01T00:00:00Z", 0.0), ("", 0.0),
])  # fmt: skip
def test_go_times(text: str, expected: float) -> None:
    assert unix(text) == pytest.approx(expected, abs=1e-9)


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    fake.say("/-/ready", "yes")
    client = Prometheus(f"127.0.0.1:{fake.server_address[1]}")
    assert client.status_of("/-/ready") == 200
    client.close()
