"""What a series and a sample cost: the arithmetic on made-up readings, the course with a made-up server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from lab.advise import footprint
from lab.advise.exposition import Page, served
from lab.advise.footprint import PUBLISHED, Footprint, Readings, from_readings, keep, known
from lab.advise.measure import measure, read_blocks
from lab.advise.take import Block, Clock, take
from lab.errors import LabError, UsageError
from lab.install import Binary

MIB = 2**20
READ = Readings(
    idle_rss=50_000_000, idle_series=5, peak_rss=130_000_000, series=20_005, samples=3_000_000,
    chunk_bytes=4_500_000, wal_bytes=18_000_000,
)  # fmt: skip


def test_the_difference_by_the_series_that_came() -> None:
    found = from_readings(READ, "here")
    assert found == Footprint(50_000_000, 4_000, 1.5, 6, "here")


@pytest.mark.parametrize(("changed", "says"), [
    ({"series": 5}, "no series came"), ({"series": 4}, "no series came"),
    ({"peak_rss": 50_000_000}, "the memory did not grow"), ({"samples": 1_999_999}, "too busy"),
    ({"samples": 0}, "too busy"), ({"chunk_bytes": 0}, "bytes_per_sample"), ({"wal_bytes": 0}, "wal_bytes_per_sample"),
])  # fmt: skip
def test_readings_that_say_nothing_are_refused(changed: dict[str, int], says: str) -> None:
    with pytest.raises(LabError, match=says) as raised:
        from_readings(replace(READ, **changed), "here")
    assert raised.value.exit_code == 3


def test_just_enough_samples_will_do() -> None:
    assert from_readings(replace(READ, samples=2_000_000), "here").bytes_per_sample == 2.25


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "4000", None])
def test_a_footprint_that_cannot_be(value: object) -> None:
    with pytest.raises(LabError, match="bytes_per_series"):
        replace(PUBLISHED, bytes_per_series=value)  # type: ignore[arg-type]


# Kept and known again


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_a_measurement_the_published_figures_are_used(cache: Path) -> None:
    assert known() is PUBLISHED


def test_what_was_measured_is_used_from_then_on(cache: Path) -> None:
    found = from_readings(READ, "measured here")
    assert keep(found).is_relative_to(cache)
    assert known() == found


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", '{"idle_bytes": 1}', '{"x": 1}', json.dumps({**vars(PUBLISHED), "bytes_per_sample": -1}),
    "\\ud800", json.dumps({**vars(PUBLISHED), "source": "x" * footprint.FILE_LIMIT}),
])  # fmt: skip
def test_a_file_that_is_none_is_one_line(text: str, cache: Path) -> None:
    path = keep(PUBLISHED)
    path.write_text(text)
    with pytest.raises(UsageError, match=r"footprint\.json: not what .* measure again or remove it"):
        known()


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(LabError, match="set LAB_CACHE_DIR"):
        keep(PUBLISHED)


# The course of a measurement


@dataclass
class FakeServer:
    """Grows when the page is filled; time passes only when somebody sleeps."""

    now: float = 100.0
    filled_at: float | None = None
    dies_at: float = float("inf")
    peak_at: float = 40.0
    calls: list[str] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def fill(self) -> None:
        self.calls.append("fill")
        self.filled_at = self.now

    def rss(self) -> int:
        if self.now > self.dies_at:
            raise LabError("it has ended")
        if self.filled_at is None:
            return 50 * MIB
        since = self.now - self.filled_at
        return (130 if self.peak_at <= since < self.peak_at + 1 else 110) * MIB

    def series(self) -> int:
        self.calls.append("series")
        return 5 if self.filled_at is None else 20_005

    def wal_bytes(self) -> int:
        self.calls.append("wal")
        return 18_000_000

    def block(self) -> Block:
        self.calls.append("block")
        return Block(3_000_000, 4_500_000)


def quietly(_line: str) -> None:
    return None


def test_idle_first_then_the_peak_with_series() -> None:
    server = FakeServer()
    read = take(server, server.fill, server.clock, quietly)
    assert read == replace(READ, idle_rss=50 * MIB, peak_rss=130 * MIB)
    assert server.calls == ["series", "fill", "series", "wal", "block"]


def test_it_stops_by_itself_within_a_minute_and_a_half() -> None:
    server = FakeServer()
    take(server, server.fill, server.clock, quietly)
    assert 80 < server.now - 100 <= 90


def test_a_server_that_ends_is_told() -> None:
    server = FakeServer(dies_at=120)
    with pytest.raises(LabError, match="it has ended"):
        take(server, server.fill, server.clock, quietly)


def test_the_user_is_told_how_long_it_takes() -> None:
    server, told = FakeServer(), list[str]()
    take(server, server.fill, server.clock, told.append)
    assert [line for line in told if line.endswith(" s")] == told
    assert len(told) == 2


# What is read from disk


def block(folder: Path, samples: object, chunks: int) -> None:
    (folder / "chunks").mkdir(parents=True)
    (folder / "chunks" / "000001").write_bytes(bytes(chunks))
    (folder / "index").write_bytes(bytes(999))
    (folder / "meta.json").write_text(json.dumps({"stats": {"numSamples": samples}}))


def test_samples_and_chunks_of_all_blocks(tmp_path: Path) -> None:
    block(tmp_path / "01A", 100, 150)
    block(tmp_path / "01B", 50, 80)
    assert read_blocks(tmp_path) == Block(150, 230)


@pytest.mark.parametrize("make", [
    lambda folder: None, lambda folder: block(folder / "01A", 0, 10), lambda folder: block(folder / "01A", None, 10),
])  # fmt: skip
def test_a_snapshot_without_samples_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(LabError, match=str(tmp_path)):
        read_blocks(tmp_path)


# The made-up page


def names(text: str) -> list[str]:
    return [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]


def test_the_page_is_empty_then_full_and_never_grows() -> None:
    page = Page(200)
    assert page.text() == ""
    page.fill()
    first, second = names(page.text()), names(page.text())
    assert len(set(first)) == 200
    assert second == first


def test_its_values_move_and_counters_never_fall() -> None:
    page = Page(400)
    page.fill()
    seen = [
        {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in page.text().splitlines() if line[0] != "#"}
        for _ in range(3)
    ]
    counters = [name for name in seen[0] if "_total" in name]
    assert len(counters) == 300
    assert all(a[name] <= b[name] for a, b in pairwise(seen) for name in counters)
    assert sum(seen[0][name] != seen[2][name] for name in seen[0]) > 200


def test_it_is_served_as_an_exposition_on_loopback_and_gone_afterwards() -> None:
    page = Page(50)
    page.fill()
    with served(page) as address:
        assert address.startswith("127.0.0.1:")
        answer = httpx.get(f"http://{address}/metrics", trust_env=False)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert len(names(answer.text)) == 50
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/metrics", trust_env=False)


# Nothing is left behind


def test_a_server_that_does_not_start_is_told_and_leaves_nothing(
    tmp_path: Path, state: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    broken = tmp_path / "prometheus"
    broken.write_text("#!/bin/sh\necho 'no such flag'\nexit 2\n")
    broken.chmod(0o755)
    with pytest.raises(LabError, match="prometheus ended with code 2 while it was awaited: no such flag"):
        measure(Binary("prometheus", broken, (2, 42), "2.42.0", "flag"), quietly)
    assert list((tmp_path / "temp").iterdir()) == []
    assert list(state.glob("*")) == []
    assert not cache.exists()
