"""`--scale`: which scenario has which, what it costs, where it is refused, what it measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import yaml
from histories import header, sampled

import lab.bill
from lab import signals
from lab.bill import (
    REPLICA_MIB,
    REPLICA_SERIES_BYTES,
    Bill,
    Room,
    bill_lines,
    bill_of,
    gib,
    lacking,
    require_room,
    room,
)
from lab.catalog import find
from lab.cli import run_cli
from lab.doctor import Item
from lab.errors import LabError, ScenarioError, UsageError
from lab.events import Deployed, PhaseEnded, PhaseStarted
from lab.history import History
from lab.measured import measured
from lab.options import Options
from lab.paths import compose_dir
from lab.plan import Plan, make
from lab.replicas import JOB, names, spec, with_replicas
from lab.scale import Replicas

FULL = find("cardinality").at("full")
LARGE, SMALL = Room(memory_mib=64 * 1024, disk_mib=10**6), Room(memory_mib=4 * 1024, disk_mib=10**6)


def full() -> Plan:
    return make(find("cardinality"), Options(scale="full", runtime="native"))


def test_a_million_series_come_from_several_replicas() -> None:
    replicas = FULL.scenario.replicas
    assert replicas is not None
    assert replicas.count > 1
    assert replicas.series == 1_000_000
    assert replicas.each * replicas.count >= replicas.series


def test_quick_is_the_scenario_as_it_is() -> None:
    assert find("cardinality").at("quick") == find("cardinality")
    assert find("cardinality").scenario.replicas is None


@pytest.mark.parametrize("target", ["alert_storm", "cardinality:crash", "missing_metrics"])
def test_a_scenario_without_the_scale_says_which_it_has(target: str) -> None:
    with pytest.raises(ScenarioError, match=rf"^{target} has no scale full; it has: quick$"):
        find(target).at("full")


def test_limits_are_scaled_with_the_series() -> None:
    one, all_ = (find("cardinality").at(scale).scenario for scale in ("class", "full"))
    assert one.memory_mib["prometheus"] < all_.memory_mib["prometheus"]
    assert (one.storage.size_mib or 0) < (all_.storage.size_mib or 0)


def test_series_come_in_simulated_time() -> None:
    replicas = Replicas(count=4, series=1000, minutes=10, top_speed=15)
    assert replicas.each == 250
    assert replicas.series_per_s(1) == pytest.approx(250 / 600)
    assert replicas.series_per_s(10) == pytest.approx(250 / 60)
    argv = spec("rag-1", "127.0.0.1:9", replicas, 10, 7, Path("broken/metrics.py")).argv
    assert argv[argv.index("--series-per-s") + 1] == "4.16667"
    assert argv[argv.index("--metrics") + 1] == "broken/metrics.py"


def scraped(config: str) -> dict[str, Any]:
    return {job["job_name"]: job for job in yaml.safe_load(config)["scrape_configs"]}


@pytest.mark.parametrize("server", ["prometheus", "observer"])
def test_whoever_scrapes_the_service_scrapes_its_replicas(server: str) -> None:
    config = (compose_dir() / "prometheus" / f"{server}.yml").read_text()
    jobs = scraped(with_replicas(config, ("rag-1", "rag-2")))
    assert jobs[JOB]["static_configs"] == [{"targets": ["rag-1:8001", "rag-2:8001"]}]
    assert jobs[JOB].get("params") == jobs["rag"].get("params")
    assert jobs[JOB].get("metric_relabel_configs") == jobs["rag"].get("metric_relabel_configs")
    assert with_replicas(config, ()) == config


def test_names_of_replicas() -> None:
    assert names(Replicas(2, 10, 1, 1)) == ("rag-1", "rag-2")
    assert names(None) == ()


# The bill


def test_the_bill_adds_up_and_is_told_by_dry_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab.bill, "room", lambda _: LARGE)
    plan = full()
    bill = bill_of(plan)
    assert bill is not None
    assert bill.series == 1_000_000
    assert plan.scenario.replicas is not None
    assert bill.replicas_mib == pytest.approx(
        plan.scenario.replicas.count * REPLICA_MIB + bill.series * REPLICA_SERIES_BYTES / 2**20
    )
    assert bill.patient_mib == plan.scenario.memory_mib["prometheus"]
    parts = bill.patient_mib + bill.volume_mib + bill.replicas_mib
    assert parts < bill.memory_mib < 24 * 1024, "for a machine with 24 GiB"
    assert run_cli(["run", "cardinality", "--scale", "full", "--dry-run", "--runtime", "native"]) == 0
    told = capsys.readouterr().out
    for word in ("bill of --scale full", "series   1,000,000", "memory   ", "disk     ", "time     ", "speed 1.5"):
        assert word in told
    assert "refused" not in told
    bounds = told.partition("\nbounds\n")[2]
    assert f"  memory            {gib(bill.memory_mib)} at most\n" in bounds, "as the bill has it"


def test_a_machine_that_is_too_small_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lab.bill, "room", lambda _: SMALL)
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path))
    assert (
        run_cli(["run", "cardinality", "--scale", "full", "--runtime", "native", "--out", str(tmp_path / "runs")]) == 3
    )
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "GiB of memory to spare; here are 4.0 GiB" in told
    assert not (tmp_path / "runs").exists(), "nothing was started"
    assert any(line.startswith("  refused  needs ") for line in bill_lines(full()))


@pytest.mark.parametrize(
    ("here", "why"),
    [
        (LARGE, ""),
        (SMALL, "of memory to spare"),
        (replace(LARGE, disk_mib=150.0), "0.2 GiB of disk to spare"),
        (replace(LARGE, disk_mib=600.0), ""),  # the volume is a tmpfs: it takes no disk,
        (replace(LARGE, disk_mib=600.0, bounds=False), "0.7 GiB of disk to spare"),  # unless there can be none,
        (replace(LARGE, memory_mib=6000.0), "6.2 GiB of memory to spare"),
        (replace(LARGE, memory_mib=6000.0, bounds=False), ""),  # and then it takes no memory
    ],
)
def test_what_is_lacking(here: Room, why: str) -> None:
    said = lacking(Bill(series=10, patient_mib=5000, volume_mib=500, replicas_mib=100, time_s=1), here)
    assert why in said
    assert bool(said) == bool(why)


def test_without_a_scale_there_is_no_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def nothing(out: Path) -> Room:
        asked.append(out)
        return Room(0, 0)

    monkeypatch.setattr(lab.bill, "room", nothing)
    quick = make(find("cardinality"), Options(runtime="native"))
    require_room(quick)
    assert bill_lines(quick) == []
    assert asked == [], "and the machine is not measured for it"
    with pytest.raises(LabError, match="take a smaller scale or a larger machine"):
        require_room(full())
    assert asked == [full().options.out]


def test_the_disk_that_counts_is_the_one_where_runs_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def usage(place: Path) -> SimpleNamespace:
        return SimpleNamespace(free=2**20 if place == tmp_path else 2**30)

    monkeypatch.setattr(lab.bill.shutil, "disk_usage", usage)
    assert room(tmp_path / "runs" / "not-there-yet").disk_mib == 1
    assert room(Path()).disk_mib == 1024


@pytest.mark.parametrize("status", ["ok", "optional"])
def test_whether_a_volume_can_be_bounded_is_tried(
    status: Literal["ok", "optional"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab.bill, "look_at_volume", lambda: Item("volume", status, ""))
    assert room(Path()).bounds is (status == "ok")


# What is refused, and how fast it goes


def test_a_scale_is_run_no_faster_than_its_replicas_can_be_scraped() -> None:
    plan = full()
    assert plan.options.speed == plan.header.speed == 1.5
    assert make(find("cardinality"), Options(scale="full", speed=1.2, runtime="native")).header.speed == 1.2
    assert plan.header.label == "cardinality --scale full"


def test_a_control_run_has_no_scale() -> None:
    with pytest.raises(UsageError, match="leave --control away"):
        make(find("cardinality"), Options(scale="full", control=True))


# What it measures


def run(appended: Callable[[int], float | None], series: Callable[[int], float]) -> History:
    """Broken from 10 to 100; a megabyte before, then 5 kB a series."""
    points: dict[str, Callable[[int], float | None]] = {
        signals.HEAD_SERIES: series,
        signals.rss("prometheus"): lambda t: 1e6 + 5_000 * (series(t) - 500),
        signals.APPENDED: appended,
        signals.scrape_s("rag"): lambda _: 0.1,
        signals.scrape_s(JOB): lambda t: 0.8 if t > 60 else 0.2,
    }
    events = [
        PhaseStarted(0.0, "steady"), PhaseEnded(9.5, "steady", ""),
        PhaseStarted(10.0, "broken"), Deployed(10.0, "broken"), PhaseEnded(100.0, "broken", ""),
    ]  # fmt: skip
    return History(sampled(points, 120), list(events))


def grown(t: int) -> float:
    return 500.0 + min(max(t - 10, 0), 50) * 2000.0


def test_bytes_per_series_and_ingestion_come_from_the_plateau() -> None:
    found = measured(header(), run(lambda t: 1e5 * max(t - 55, 0), grown))
    assert found.series == 100_500
    assert found.bytes_per_series == pytest.approx(5_000)
    assert found.samples_per_s == pytest.approx(1e5)
    assert found.scrape_s == 0.8


@pytest.mark.parametrize("offset", range(10))
def test_what_is_scraped_every_ten_seconds_is_counted_from_scrape_to_scrape(offset: int) -> None:
    found = measured(header(), run(lambda t: 1e6 * ((t + offset) // 10), grown))
    assert found.samples_per_s == pytest.approx(1e5)


def test_what_can_not_be_told_is_not() -> None:
    few = measured(header(), run(lambda t: 0.0, lambda t: 500.0 + min(t, 50)))
    assert few.bytes_per_series is None
    assert measured(header(), run(lambda t: None, grown)).samples_per_s is None
    short = measured(header(), run(lambda t: 1e5 * t, lambda t: 500.0 + 1000.0 * t))
    assert short.samples_per_s is None, "the head was near its largest for too short a time"
    assert measured(header(), History([], [])).series is None
