"""Incidents of the service: kept apart from the failures of monitoring, judged by what no metric can gloss over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from histories import sampled, samples, view
from kept_runs import kept

from lab import signals
from lab.catalog import Found, all_names, find, incident_names, names
from lab.classroom.faults import lacking
from lab.classroom.general import general
from lab.classroom.live import offers
from lab.cli import run_cli
from lab.commands.many import targets
from lab.conditions.books import COSTS, Booked, books
from lab.conditions.figures import FigureIs, figure
from lab.conditions.incidents import NobodyTold, ReadySays, Refused
from lab.conditions.traffic import Made
from lab.events import DRY_RUN, Deployed, Notified, PhaseEnded, PhaseStarted
from lab.guards import guards
from lab.journal import Header
from lab.per_time import PerTime
from lab.report.html.charts import charts
from lab.scenario import Condition, Phase, Wait
from lab.services.rag import options
from lab.stored import load

LIVE = Deployed(0.0, "broken")


# Kept apart


def test_the_two_kinds_have_lists_of_their_own() -> None:
    assert len(names()) == 5
    assert len(incident_names()) == 4
    assert not set(names()) & set(incident_names())
    assert {find(name).scenario.kind for name in names()} == {"monitoring"}
    assert {find(name).scenario.kind for name in incident_names()} == {"service"}
    assert all(find(name).bundled and find(name).scenario.name == name for name in all_names())


def test_each_series_runs_its_kind_alone() -> None:
    assert [found.scenario.name for found in targets("all", all_variants=True)] == [
        name for name in names() for _ in find(name).variants
    ]
    assert [found.scenario.name for found in targets("all-service", all_variants=False)] == incident_names()
    everything = {found.scenario.label for found in targets("all-service", all_variants=True)}
    assert everything > {found.scenario.label for found in targets("all-service", all_variants=False)}


def test_the_rules_of_one_kind_are_not_loaded_in_runs_of_the_other() -> None:
    of = {name: {path.parent.name for path in find(name).rules().values()} for name in all_names()}
    assert all(of[name] == set(names()) for name in names())
    assert all(of[name] == set(incident_names()) for name in incident_names())


def test_lab_list_shows_them_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["list"]) == 0
    first, _, second = capsys.readouterr().out.partition("Incidents of the service (lab run all-service):\n")
    assert [line.split()[0] for line in first.splitlines()[1:] if "variants:" not in line] == names()
    assert [line.split()[0] for line in second.splitlines() if "variants:" not in line] == incident_names()


def test_the_teaching_stack_offers_failures_of_monitoring_only() -> None:
    assert {offer.name for offer in offers(general(), {}, "")} == set(names())


@pytest.mark.parametrize("name", incident_names())
def test_the_teaching_stack_says_what_an_incident_needs(name: str) -> None:
    """`lab fault NAME on` refuses with it; `lab up NAME` has it."""
    assert lacking(find(name), general(), {})
    assert not lacking(find(name), find(name).scenario, rules_of(find(name)))


def rules_of(found: Found) -> dict[str, str]:
    return {name: path.read_text() for name, path in found.rules().items()}


def test_a_misspelt_incident_is_one_line_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["run", "rate_limits"]) == 2
    assert "did you mean rate_limit?" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--fix", "--detect"])
def test_an_answer_is_for_one_incident(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["run", "all-service", option, str(tmp_path)]) == 2
    assert "name it instead of `all-service`" in capsys.readouterr().err


# Settings and clients of a deployment


def deployed(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


@pytest.mark.parametrize(("files", "said"), [
    ({"settings_env": "# fine\nRAG_CACHE=1\n"}, "settings.env:2: RAG_CACHE: no setting that a deployment has"),
    ({"settings_env": "CACHE_ENTRIES=1\n"}, "settings.env:1: CACHE_ENTRIES: no setting"),
    ({"settings_env": "RAG_ADMIN_TOKEN=1\n"}, "settings.env:1: RAG_ADMIN_TOKEN: no setting"),
    ({"settings_env": "RAG_CACHE_ENTRIES\n"}, "settings.env:1: RAG_CACHE_ENTRIES: no setting"),
    ({"settings_env": "RAG_CACHE_ENTRIES=many\n"}, "settings.env:1: RAG_CACHE_ENTRIES: 'many' is not a whole number"),
    ({"settings_env": "RAG_CACHE_ENTRIES=0\n"}, "settings.env:1: RAG_CACHE_ENTRIES: 0 is not between"),
    ({"client_py": "x = 1\n"}, "client.py: has no wait_s; define wait_s"),
    ({"client_py": "def wait_s(attempt):\n    return 0.0\n"}, "client.py:1: wait_s takes other parameters"),
    ({"client_py": "x = 1\ndef wait_s(\n"}, "client.py:2: "),
    ({"metrics_py": "x = 1\ndef metrics(\n"}, "metrics.py:2: '(' was never closed; mend it"),
    ({"metrics_py": "return 1\n"}, "metrics.py:1: 'return' outside function; mend it"),
    ({"metrics_py": "x = '\0'\n"}, "metrics.py:"),
])  # fmt: skip
def test_what_the_service_or_its_clients_would_not_take(
    files: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["run", "rate_limit", "--dry-run", "--fix", str(deployed(tmp_path, **files))]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_settings_of_a_deployment_are_over_those_of_the_scenario() -> None:
    found = find("rate_limit")
    assert found.deployment("broken").settings() == {"cache_entries": "1"}
    assert found.deployment("fixed").settings() == {"cache_entries": "1000"}


def test_options_at_a_speed() -> None:
    given = {"a": "4", "window": Wait(simulated_s=900), "scale": PerTime(1.5)}
    assert options(given, 15.0) == {"a": "4", "window": "60", "scale": "0.1"}
    assert options(given, 1.0) == {"a": "4", "window": "900", "scale": "1.5"}


# Conditions


def told(condition: Condition, *found: object, at: float = 19.0, **more: object) -> bool | None:
    seen, events = found[0], found[1:]
    return condition.at(view(seen, *events, **more), at)  # type: ignore[arg-type]


def rates(served: float, failed: float, seconds: int = 20) -> object:
    return samples(seconds, **{signals.RPS: served, signals.FAILURES: failed})


def test_refused_is_a_share_of_what_was_asked() -> None:
    condition = Refused(0.5)
    assert told(condition, rates(40, 60), LIVE) is True
    assert told(condition, rates(60, 40), LIVE) is False
    assert told(condition, rates(0, 0), LIVE) is None


def test_a_process_that_starts_refuses_nobody() -> None:
    """A release of any kind leaves a gap of seconds in which no request is answered."""
    assert told(Refused(0.5), rates(0, 100), LIVE, at=3.0) is None
    assert told(Refused(0.5), rates(0, 100), LIVE, at=8.0) is True


def states(seconds: int = 20, **more: float) -> object:
    return sampled({signals.alert_state(name): lambda _: signals.INACTIVE for name in ("A", "B")}, seconds)


def test_nobody_is_told_until_somebody_is() -> None:
    fired = Notified(12.0, "Anything", "firing", "console")
    assert told(NobodyTold(), states(), LIVE) is True
    assert told(NobodyTold(), states(), LIVE, fired, at=11.0) is True
    assert told(NobodyTold(), states(), LIVE, fired) is False
    assert told(NobodyTold(), states(), LIVE, replace(fired, status="resolved")) is True
    assert told(NobodyTold(), states(), LIVE, replace(fired, route=DRY_RUN)) is True


def test_silence_that_nobody_looked_at_is_none() -> None:
    assert told(NobodyTold(), rates(1, 1), LIVE) is None


@pytest.mark.parametrize(("status", "no", "yes"), [(503.0, True, False), (200.0, False, True), (500.0, False, False)])
def test_readiness(status: float, no: bool, yes: bool) -> None:
    seen = sampled({signals.ready("rag"): lambda _: status}, 20)
    assert told(ReadySays("rag", 503), seen) is no
    assert told(ReadySays("rag", 200), seen) is yes
    assert told(ReadySays("rag", 503), rates(1, 1)) is None


def test_dollars_are_those_of_real_time() -> None:
    """0.2 dollars in 20 seconds at speed 15 stand for 3 in five minutes."""
    seen = samples(20, **{signals.SPENT_USD: lambda t: 0.01 * (t + 1)})
    assert told(books().above(2.9).condition, seen, LIVE) is True
    assert told(books().above(3.1).condition, seen, LIVE) is False
    assert told(books().above(2.9).condition, seen, LIVE, speed=1.0) is False
    assert told(books().above(0.0).condition, rates(1, 1), LIVE) is None


@pytest.mark.parametrize(("counted", "agrees"), [(1.0, True), (0.8, True), (0.14, False), (0.0, False), (2.0, False)])
def test_the_counter_must_say_what_the_books_say(counted: float, agrees: bool) -> None:
    seen = sampled({signals.SPENT_USD: lambda t: 0.01 * t, signals.counted(COSTS): lambda t: 0.01 * counted * t}, 20)
    assert told(Booked(), seen, Deployed(0.0, "fixed"), phase=Phase.FIXED) is agrees


def test_a_counter_that_is_gone_saves_nothing() -> None:
    seen = samples(20, **{signals.SPENT_USD: lambda t: 0.01 * t})
    assert told(Booked(), seen, Deployed(0.0, "fixed"), phase=Phase.FIXED) is False


def test_where_nothing_is_spent_nothing_is_proven() -> None:
    seen = sampled({signals.SPENT_USD: lambda _: 1.0, signals.counted(COSTS): lambda _: 1.0}, 20)
    assert told(Booked(), seen, Deployed(0.0, "fixed"), phase=Phase.FIXED) is None


def test_a_figure_is_a_threshold_on_what_was_asked() -> None:
    check = figure("US dollars an hour", "sum(rate(x[5m])) * 3600").above(10)
    assert isinstance(check.condition, FigureIs)
    assert check.name == "US dollars an hour > 10"
    seen = sampled({signals.figure("US dollars an hour"): lambda t: float(t)}, 20)
    assert told(check.condition, seen) is True
    assert told(check.condition, seen, at=9.0) is False
    assert told(check.condition, rates(1, 1)) is None


# The guard where queries are refused


def guarded(served: float, failed: float) -> bool | None:
    events = (PhaseStarted(0.0, "steady"), PhaseEnded(10.0, "steady"), Deployed(10.0, "broken"))
    found = samples(40, **{
        signals.RPS: lambda t: 100.0 if t <= 10 else served, signals.FAILURES: lambda t: 0.0 if t <= 10 else failed,
    })  # fmt: skip
    return Made().at(view(found, *events, start=10.0, closed=True), 39.0)


@pytest.mark.parametrize(("served", "failed", "holds"), [
    (0, 100, True), (5, 380, True), (0, 75, False), (0, 0, False), (50, 35, True),
])  # fmt: skip
def test_a_request_that_was_refused_was_made(served: float, failed: float, holds: bool) -> None:
    assert guarded(served, failed) is holds


@pytest.mark.parametrize("name", ["rate_limit", "error_burst", "quality_drop", "cost_spike"])
def test_the_fix_is_guarded_as_ever(name: str) -> None:
    """Under the fix queries must be answered at the rate of steady: Flowed, in every incident's own variant."""
    scenario = find(name).scenario
    header = Header(
        scenario=name, variant="", control=False, runtime="native", seed=1, speed=15.0, strict=False, own_alerts=(),
        watched_alerts=(), foreign_rules=False, pipeline_budget_s=1.0, evaluation_interval_s=1.0, versions={}, users=20,
        started_at=0.0,
    )  # fmt: skip
    assert not isinstance(guards(scenario, header, Phase.FIXED)[0].condition, Made)
    refuses = Phase.BROKEN in scenario.refuses
    assert isinstance(guards(scenario, header, Phase.BROKEN)[0].condition, Made) is refuses


# In the report


def test_each_figure_that_was_asked_has_a_chart_with_its_limit(tmp_path: Path) -> None:
    """Units differ, so two of them never share one."""
    told = {chart.title: chart for chart in charts(load(kept(tmp_path, "rate_limit/blind")))}
    dollars = told["US dollars an hour"]
    assert dollars.limits == [30.0]
    assert max(value for value in dollars.lines[0].values if value is not None) > 30
    books = told["US dollars in the service's books since its start"]
    assert books.limits == [pytest.approx(3 / 15)], "in the run's own dollars, a fifteenth of the real ones"
    assert max(value for value in books.lines[0].values if value is not None) > 3 / 15
