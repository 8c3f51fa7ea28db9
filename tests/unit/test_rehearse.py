"""`lab rehearse`: what is missing is said before anything starts; a run that was played is green or red."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kept_runs import kept
from test_recorded import judged

from lab.catalog import find
from lab.cli import run_cli
from lab.doctor import Item as Looked
from lab.doctor import Report
from lab.errors import UsageError
from lab.events import PhaseStarted
from lab.history import History
from lab.options import Options
from lab.outcome import Outcome, outcome
from lab.plan import Plan, make
from lab.registry import Registration
from lab.rehearsal import READY_S, Item, concerning, left_behind, machine, played, prepared, shortened, volume
from lab.runner import Run
from lab.runtime.place import decide
from lab.scenario import Result

FINE = Report((Looked("python", "ok", "3.11"), Looked("volume", "ok", "can be mounted")))


@pytest.fixture(autouse=True)
def alone(state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No run is started, no network is asked, and the machine is fine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lab.runner.Run.execute", lambda _: pytest.fail("it was started"))
    monkeypatch.setattr("lab.doctor.examine", lambda _: FINE)

    def refuse(*_: object, **__: object) -> None:
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A scenario of the user's, a copy of one of ours."""
    target = tmp_path / "mine"
    shutil.copytree(find("slow_queries").folder, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, str]]:
    """The exit code, and by each item's name its colour with the reason."""
    capsys.readouterr()
    code = run_cli(["rehearse", *argv, "--no-color"])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith(("✓", "✗"))]
    items = {}
    for line in lines:
        colour, rest = line[2:].split(maxsplit=1)
        name = next((n for n in NAMES if rest.startswith(n) or f": {n}" in rest), rest)
        items[name] = f"{colour} {rest}"
    return code, items


NAMES = ("deployments and rules", "dashboards", "alerts", "words for the stage", "played", "ready within",
         "over within", "nothing left behind", "machine")  # fmt: skip


# Looking


def test_all_five_are_green_without_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["rehearse", "--look", "--no-color"]) == 0
    err = capsys.readouterr().err
    assert err.count("✓ green") == 1 + 5 * 4
    assert "red" not in err
    assert err.splitlines()[-1] == "GREEN"


def damage_rules(folder: Path) -> None:
    (folder / "detect.rules.yml").write_text("groups: 3\n")


def damage_panel(folder: Path) -> None:
    path = folder / "fixed" / "dashboard.json"
    path.write_text(path.read_text().replace("sum(rag:query_rate:5m)", "sum(rag:query_rate:5m", 1))


def no_panels(folder: Path) -> None:
    (folder / "broken" / "dashboard.json").write_text("{}")


def deaf_alert(folder: Path) -> None:
    path = folder / "detect.rules.yml"
    path.write_text(path.read_text().replace("> 1", "> 1000000"))


def no_tests(folder: Path) -> None:
    (folder / "detect.test.yml").unlink()


def no_words(folder: Path) -> None:
    path = folder / "README.md"
    path.write_text(path.read_text().replace("\n## Fix\n", "\n## Cure\n"))


def no_lesson(folder: Path) -> None:
    (folder / "README.md").unlink()


@pytest.mark.parametrize(("damage", "item", "said"), [
    (damage_rules, "deployments and rules", "unmarshal"), (damage_panel, "dashboards", "parenthes"),
    (no_panels, "dashboards", "no panel has a query"), (deaf_alert, "alerts", "detect.test.yml"),
    (no_tests, "alerts", "no detect.test.yml"), (no_words, "words for the stage", "before fixed"),
    (no_lesson, "words for the stage", "README.md"),
])  # fmt: skip
def test_what_is_missing_is_said_and_nothing_starts(
    damage: Callable[[Path], None], item: str, said: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(mine)
    code, items = told(capsys, str(mine))
    assert code == 3
    assert items[item].startswith("red")
    assert said in items[item]
    assert "played" not in items


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing(*_: object) -> None:
        raise UsageError("prometheus: not found; `lab install` gets it")

    monkeypatch.setattr("lab.plan.make", missing)
    code, items = told(capsys, "cardinality")
    assert code == 3
    assert "`lab install` gets it" in items["deployments and rules"]


def test_what_the_machine_lacks_is_said_with_its_remedy() -> None:
    report = Report((*FINE.items, Looked("promtool", "missing", "not on PATH", "lab install")))
    (item,) = machine(report)
    assert not item.green
    assert "not on PATH; lab install" in item.why
    assert [item.green for item in machine(FINE)] == [True]


def test_without_a_volume_only_what_needs_one_is_red() -> None:
    report = Report((Looked("volume", "optional", "forbidden", "run as root"),))
    (item,) = volume(report, [find("cardinality"), find("slow_queries")])
    assert "cardinality are skipped; run as root" in item.why
    assert "slow_queries" not in item.why
    assert volume(report, [find("slow_queries")]) == []
    assert volume(FINE, [find("cardinality")]) == []


def test_a_stack_that_is_up_is_in_the_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("lab.classroom.client.stack_up", lambda: object())
    code, items = told(capsys, "slow_queries")
    assert code == 3
    assert "`lab down` stops it" in str(items)


def test_in_containers_what_concerns_native_runs_is_passed_over() -> None:
    lacking = tuple(Looked(name, "missing", "none", "lab install") for name in ("prometheus", "locust"))
    report = Report((*lacking, Looked("volume", "optional", "forbidden", "run as root")))
    there = concerning(report, "docker")
    assert volume(there, [find("cardinality")]) == []
    assert [item.name for item in machine(there)] == ["machine: locust"]
    for place in ("native", "auto"):
        assert concerning(report, place) == report


@pytest.mark.parametrize(("place", "lacking"), [("docker", False), ("native", True)])
def test_the_place_that_is_decided_counts(
    place: str, lacking: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report((Looked("volume", "optional", "forbidden", "run as root"),))
    native = decide(Options(runtime="native"))
    monkeypatch.setattr("lab.doctor.examine", lambda _: report)
    monkeypatch.setattr("lab.runtime.place.decide", lambda _: replace(native, name=place))
    assert run_cli(["rehearse", "--look", "cardinality", "--no-color"]) == (3 if lacking else 0)
    assert ("machine: volume" in capsys.readouterr().err) is lacking


# A stack that --keep left up


@pytest.fixture
def left_up(state: Path, tmp_path: Path) -> Path:
    """The entry of a stack whose lab has gone."""
    Registration("left-up", tmp_path / "left-up").keep({})
    (entry,) = state.glob("*.json")
    told = json.loads(entry.read_text())
    entry.write_text(json.dumps({**told, "owner": {"pid": 2**22 - 1, "start": "long:ago"}}))
    return entry


@pytest.mark.parametrize("argv", [["cardinalty"], ["--speed", "99"], ["cardinality", "slow_querys"], ["--look", "no"]])
def test_bad_usage_stops_nothing(argv: list[str], left_up: Path) -> None:
    assert run_cli(["rehearse", *argv]) == 2
    assert left_up.exists()


def test_looking_leaves_a_kept_stack_up_and_says_that_the_rehearsal_does_not(
    left_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, items = told(capsys, "slow_queries", "--look")
    assert code == 0
    assert items["machine"].startswith("green machine: to itself: --keep left a stack up (")
    assert items["machine"].endswith("the rehearsal proper, without --look, stops it")
    assert left_up.exists()
    monkeypatch.setattr("lab.commands.rehearse._play", lambda *_: [])
    code, items = told(capsys, "slow_queries")
    assert (code, items["machine"]) == (0, "green machine: everything that a run needs is here")
    assert not left_up.exists()


# Playing


def test_the_variables_of_a_run_are_those_of_its_rehearsal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Options] = []
    for name, value in {"SEED": "7", "USERS": "3", "SPEED": "10", "OUT": "kept", "PROMETHEUS_BIN": "p",
                        "ALERTMANAGER_BIN": "a"}.items():  # fmt: skip
        monkeypatch.setenv(f"LAB_{name}", value)

    def make_(_: object, options: Options) -> None:
        asked.append(options)
        raise UsageError("enough")

    monkeypatch.setattr("lab.plan.make", make_)
    assert run_cli(["rehearse", "--look", "slow_queries"]) == 3
    assert asked == [Options(
        runtime="native", seed=7, users=3, speed=10.0, out=Path("kept"), prometheus_bin=Path("p"),
        alertmanager_bin=Path("a"),
    )]  # fmt: skip


def run_of(name: str) -> tuple[Plan, Outcome, History]:
    judgement, recording = judged(name)
    assert recording.header is not None
    plan = make(find(name.split("/")[0]), Options(runtime="native"))
    return plan, outcome(recording.header, recording.history, judgement), recording.history


def colours(items: Any) -> dict[str, bool]:
    return {item.name.partition(": ")[2]: item.green for item in items}


def test_a_run_that_passed_in_its_time_is_green() -> None:
    assert set(colours(played(*run_of("slow_queries/pass"))).values()) == {True}


@pytest.mark.parametrize("name", ["slow_queries/emptied_dashboard", "slow_queries/no_users"])
def test_a_run_that_did_not_pass_is_red_with_its_reason(name: str) -> None:
    plan, found, history = run_of(name)
    items = played(plan, found, history)
    assert colours(items)["played"] is False
    assert found.judgement.reason in items[0].why


def test_a_run_that_skipped_a_check_is_red() -> None:
    plan, found, history = run_of("slow_queries/pass")
    phase = found.judgement.phases[1]
    results = (replace(phase.results[0], result=Result.SKIPPED), *phase.results[1:])
    skipped = replace(found.judgement, phases=(replace(phase, results=results),))
    items = played(plan, replace(found, judgement=skipped), history)
    assert colours(items)["played"] is False
    assert phase.results[0].name in items[0].why


def test_a_late_run_is_red() -> None:
    plan, found, history = run_of("slow_queries/pass")
    late = History(
        history.samples, [replace(e, t=e.t + READY_S) if isinstance(e, PhaseStarted) else e for e in history.events]
    )
    assert colours(played(plan, found, late))["ready within its time"] is False
    assert colours(played(plan, found, History([], [])))["ready within its time"] is False
    assert colours(played(plan, replace(found, wall_s=999.0), history))["over within its time"] is False


def test_what_a_run_left_is_red(tmp_path: Path) -> None:
    plan, _, _ = run_of("slow_queries/pass")
    assert left_behind(plan, tmp_path).green
    registration = Registration("x", tmp_path)
    assert not left_behind(plan, tmp_path).green
    registration.remove()
    assert left_behind(plan, tmp_path).green


def recorded_run(name: str, tmp_path: Path) -> Callable[[Run], Outcome]:
    """In place of a run: its recording in a folder of its own."""

    def execute(run: Run) -> Outcome:
        run_dir = kept(tmp_path / "played", name)
        _, found, _ = run_of(name)
        return replace(found, run_dir=str(run_dir))

    return execute


@pytest.mark.parametrize(("name", "code"), [("pass", 0), ("emptied_dashboard", 1), ("no_users", 3)])
def test_the_exit_code_is_that_of_what_was_played(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lab.runner.Run.execute", recorded_run(f"slow_queries/{name}", tmp_path))
    got, items = told(capsys, "slow_queries")
    assert got == code
    assert items["played"].startswith("green" if code == 0 else "red")
    (verdict,) = (tmp_path / "played").rglob("verdict.json")
    assert json.loads(verdict.read_text())["scenario"] == "slow_queries"


def test_an_interrupted_rehearsal_plays_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[str] = []
    play = recorded_run("slow_queries/no_users", tmp_path)

    def execute(run: Run) -> Outcome:
        runs.append(run.plan.scenario.name)
        return replace(play(run), interrupted=True)

    monkeypatch.setattr("lab.runner.Run.execute", execute)
    assert run_cli(["rehearse", "slow_queries", "cardinality"]) == 130
    assert runs == ["slow_queries"]


def test_preparing_names_the_scenario() -> None:
    items, plan = prepared(find("missing_metrics"), lambda found: make(found, Options(runtime="native")))
    assert plan is not None
    assert {item.name.partition(": ")[0] for item in items} == {find("missing_metrics").scenario.label}


@pytest.mark.parametrize("speed", ["0.5", "21", "nan"])
def test_a_speed_that_cannot_be_played_is_refused(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["rehearse", "--speed", speed]) == 2
    assert "not between 1 (real time) and 20" in capsys.readouterr().err


def test_one_reason_is_told_once() -> None:
    items = [Item("b: rules", False, "no Prometheus"), Item("b: words", False, "none"), Item("b: alerts", True)]
    shown = shortened(items, [Item("a: rules", False, "no Prometheus")])
    assert [item.why for item in shown] == ["as above", "none", ""]
    assert [item.green for item in shown] == [False, False, True]
