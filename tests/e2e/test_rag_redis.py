"""Cache and costs with a real Redis, which is restarted, stopped and frozen."""

import asyncio
import concurrent.futures
import contextlib
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import redis
from waiting import until

from lab.rag.costs import Batch, day_of, hour_of, report
from lab.rag.costs_cli import show_costs
from lab.rag.local import free_ports, running, stop
from lab.rag.redis_costs import RedisCosts
from lab.rag.redis_link import RedisLink

pytestmark = pytest.mark.e2e

BINARY = os.environ.get("LAB_REDIS_BIN") or shutil.which("redis-server")
DEADLINE_S = 10.0
WRITERS, BATCHES, NANO = 8, 50, 3


@dataclass
class RedisServer:
    """A redis-server on a loopback port of its own that keeps nothing on disk."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, decode_responses=True)

    def start(self) -> None:
        flags = f"--bind 127.0.0.1 --port {self.port} --appendonly no --dir {self.folder} --loglevel warning"
        self.process = subprocess.Popen([str(BINARY), *flags.split(), "--save", ""], stdout=subprocess.DEVNULL)
        until(self.answers, DEADLINE_S, "redis-server answers")

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(DEADLINE_S)
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    if not BINARY:
        pytest.skip("no redis-server on PATH, and LAB_REDIS_BIN is not set")
    one = RedisServer(tmp_path, free_ports(1)[0])
    one.start()
    yield one
    one.stop()


def ask(url: str, text: str = "How do I restart a service?") -> httpx.Response:
    return httpx.post(url + "/query", json={"query": text, "user_id": "user-1"})


def not_ready(url: str) -> list[str]:
    answer = httpx.get(url + "/ready")
    culprits = [name for name, status in answer.json()["dependencies"].items() if not status["ok"]]
    assert answer.status_code == (503 if culprits else 200)
    return culprits


def test_answers_outlive_a_restart_of_the_service(server):
    with running("--redis-url", server.url) as service:
        first = ask(service.url).json()
        stop(service.process)
    with running("--redis-url", server.url) as service:
        again = ask(service.url).json()
        assert again["cached"] is True
        assert (again["answer"], again["documents"]) == (first["answer"], first["documents"])
        exposed = {"name[]": "rag_cache_size_entries"}
        until(
            lambda: 'cache_type="redis"} 1.0' in httpx.get(service.metrics_url, params=exposed).text,
            DEADLINE_S,
            "the gauge shows one entry",
        )


def test_answers_expire(server):
    with running("--redis-url", server.url, "--cache-ttl-s", "0.2") as service:
        assert ask(service.url).json()["cached"] is False
        until(lambda: not server.client.keys("rag:answer:*"), DEADLINE_S, "the answer expires")
        assert ask(service.url).json()["cached"] is False


def test_a_stopped_redis_is_named_and_queries_go_on(server):
    with running("--redis-url", server.url) as service:
        assert not_ready(service.url) == []
        server.stop()
        assert not_ready(service.url) == ["redis"]
        assert httpx.get(service.url + "/health").status_code == 200
        answer = ask(service.url)
        assert (answer.status_code, answer.json()["cached"]) == (200, False)
        assert httpx.get(service.url + "/costs").status_code == 503
        server.start()
        until(lambda: not_ready(service.url) == [], DEADLINE_S, "the service is ready again")
        assert ask(service.url).status_code == 200


def test_costs_made_while_redis_is_away_are_booked_when_it_is_back(server):
    with running("--redis-url", server.url, "--cost-scale", "1") as service:
        server.stop()
        spent = [round(ask(service.url, f"question {number}").json()["cost_usd"] * 10**9) for number in range(5)]
        server.start()  # empty: nothing is kept on disk

        def booked() -> int:
            answer = httpx.get(service.url + "/costs")
            return answer.json()["last_hour"]["nano_usd"] if answer.status_code == 200 else 0

        until(lambda: booked() == sum(spent), DEADLINE_S, "the costs are booked")


def test_a_frozen_redis_delays_neither_probe_nor_queries_for_long(server):
    with running("--redis-url", server.url) as service:
        ask(service.url)
        server.process.send_signal(signal.SIGSTOP)
        assert not_ready(service.url) == ["redis"]
        took = []
        with httpx.Client(timeout=DEADLINE_S) as client:
            for number in range(40):
                body = {"query": f"question {number}", "user_id": "u"}
                answer = client.post(service.url + "/query", json=body)
                assert answer.status_code == 200
                took.append(answer.json()["latency_ms"])
        # Now and then one waits for Redis in vain; if each did, the median would be like the slowest.
        assert statistics.median(took) < max(took) / 4
        service.process.terminate()
        assert service.process.wait(DEADLINE_S) == 0


async def book_many(url: str, writer: int) -> None:
    store = RedisCosts(RedisLink(url))
    hour = hour_of(datetime(2100, 1, 1, tzinfo=UTC))
    for number in range(BATCHES):
        await store.add(Batch(f"{writer}-{number}", hour, {"gpt-4o": NANO, "gpt-4o-mini": 1}))
    await store.close()


def write_in_process(url: str, first: int) -> None:
    async def together() -> None:
        await asyncio.gather(*(book_many(url, first + number) for number in range(WRITERS)))

    asyncio.run(together())


def test_concurrent_writers_lose_nothing(server):
    processes = 4
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context) as pool:
        for done in [pool.submit(write_in_process, server.url, 1000 * each) for each in range(processes)]:
            done.result(timeout=60)
    batches = processes * WRITERS * BATCHES
    for key in ("rag:costs:hour:2100-01-01T00", "rag:costs:day:2100-01-01"):
        assert server.client.hgetall(key) == {"gpt-4o": str(batches * NANO), "gpt-4o-mini": str(batches)}


def test_a_batch_that_is_offered_twice_is_booked_once(server):
    async def go():
        store = RedisCosts(RedisLink(server.url))
        hour = hour_of(datetime.now(UTC))
        for _ in range(2):
            await store.add(Batch("the same", hour, {"gpt-4o": 5}))
        booked = await store.hours([hour])
        await store.close()
        return booked

    assert asyncio.run(go()) == [{"gpt-4o": 5}]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=5), timedelta(days=45)])
def test_buckets_are_kept_as_long_as_promised_by_a_moved_clock(server, ahead):
    now = datetime.now(UTC) + ahead

    async def go():
        store = RedisCosts(RedisLink(server.url))
        await store.add(Batch("b", hour_of(now), {"gpt-4o": 3600}))
        found = [
            (await report(store, moment)).last_7d
            for moment in (now, now + timedelta(days=6), now + timedelta(days=7, hours=2))
        ]
        await store.close()
        return found

    assert asyncio.run(go()) == [3600, 3600, 0]
    hour, day = hour_of(now), day_of(now)
    client = server.client
    hour_ends = client.expiretime(f"rag:costs:hour:{hour:%Y-%m-%dT%H}")
    day_ends = client.expiretime(f"rag:costs:day:{day:%Y-%m-%d}")
    assert hour_ends == int((hour + timedelta(hours=1, days=7)).timestamp())
    assert day_ends == int((day + timedelta(days=1 + 30)).timestamp())


def test_the_report_is_the_same_from_redis_and_from_the_service(server, capsys):
    with running("--redis-url", server.url) as service:
        ask(service.url)
        assert show_costs(service.url) == 0
        from_service = capsys.readouterr().out
        assert show_costs(redis_url=server.url) == 0
        assert capsys.readouterr().out == from_service
    assert "gpt-" in from_service
    assert "gone when it ends" not in from_service
