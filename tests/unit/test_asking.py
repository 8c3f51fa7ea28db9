"""How clients ask again: the one that is live decides, and the two of the lesson decide otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.catalog import find
from lab.loadgen import asking

ROOT = Path(__file__).resolve().parent.parent.parent


class User:
    """A locust user whose service answers with a status, each time."""

    def __init__(self, *statuses: int, quality: float = 0.9, retry_after: str | None = None) -> None:
        self.client, self.statuses, self.quality, self.retry_after = self, list(statuses), quality, retry_after
        self.asked: list[dict[str, str]] = []
        self.failures: list[str] = []

    @contextmanager
    def post(self, path: str, json: dict[str, str], name: str, catch_response: bool) -> Iterator[Any]:
        self.asked.append(json)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        yield SimpleNamespace(
            status_code=status, headers=headers, json=lambda: {"quality": self.quality}, failure=self.failures.append
        )


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(asking.gevent, "sleep", pauses.append)
    monkeypatch.setenv("LAB_LOAD_SPEED", "15")
    monkeypatch.delenv("LAB_CLIENT", raising=False)
    return pauses


def client(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setenv("LAB_CLIENT", str(find("rate_limit").place(what) / "client.py"))


def test_the_healthy_client_asks_once(slept: list[float]) -> None:
    user = User(429)
    asking.ask(user, "q", "me")
    assert user.asked == [{"query": "q", "user_id": "me"}]
    assert slept == []


def test_the_broken_client_asks_at_once_and_again(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    client(monkeypatch, "broken")
    user = User(429, retry_after="30")
    asking.ask(user, "q", "me")
    assert len(user.asked) == 4
    assert slept == [0.0, 0.0, 0.0]


def test_the_fixed_client_waits_as_long_as_it_is_told_and_its_own_pause(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client(monkeypatch, "fixed")
    user = User(429, 200, retry_after="30")
    asking.ask(user, "q", "me")
    assert len(user.asked) == 2
    (pause,) = [15 * pause for pause in slept]
    assert 30.5 <= pause <= 31.0, "30 s of production time are 2 s at speed 15; the pause of its own comes on top"


def test_the_fixed_client_pauses_longer_each_time(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    client(monkeypatch, "fixed")
    asking.ask(User(503), "q", "me")
    pauses = [15 * pause for pause in slept]
    assert len(pauses) == 3
    assert all(0.5 * 2**n <= pause <= 2**n for n, pause in enumerate(pauses))


@pytest.mark.parametrize(("status", "retry_after"), [(429, "900"), (422, None), (0, None)])
def test_the_fixed_client_gives_up_where_asking_does_not_help(
    status: int, retry_after: str | None, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client(monkeypatch, "fixed")
    user = User(status, retry_after=retry_after)
    asking.ask(user, "q", "me")
    assert len(user.asked) == 1


def test_a_client_that_was_just_deployed_decides_at_once(
    slept: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    live = tmp_path / "client.py"
    monkeypatch.setenv("LAB_CLIENT", str(live))
    for pauses, text in ((1, "return 1.0 if attempt < 2 else None"), (2, "return 1.0 if attempt < 3 else None")):
        temporary = tmp_path / "client.tmp"
        temporary.write_text(f"def wait_s(attempt, status, retry_after_s):\n    {text}\n")
        temporary.replace(live)
        slept.clear()
        asking.ask(User(500), "q", "me")
        assert len(slept) == pauses


def test_an_answer_of_no_use_is_a_failure(slept: list[float]) -> None:
    good, bad = User(200, quality=0.71), User(200, quality=0.69)
    for user in (good, bad):
        asking.ask(user, "q", "me", least_quality=0.7)
    assert (good.failures, bad.failures) == ([], ["a useless answer"])
