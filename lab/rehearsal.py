"""`lab rehearse`: what can go wrong on a stage, looked at before going there. Each item is green or red."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import promql_parser

from lab.budget import longest_s
from lab.catalog import Found
from lab.dashboard import parse
from lab.deployment import Deployment
from lab.doctor import Report
from lab.errors import LabError
from lab.events import PhaseStarted
from lab.history import History
from lab.outcome import Outcome
from lab.paths import compose_dir
from lab.plan import Plan
from lab.registry import Entry, entries
from lab.scenario import BOUNDED_VOLUME, Check, Phase, Verdict
from lab.stage import stops

READY_S = 30.0
"""Seconds in which the services of a run must be up, from its begin to its first phase."""
TESTS = "detect.test.yml"
VARIABLE = re.compile(r"\$\{?\w+\}?")


@dataclass(frozen=True)
class Item:
    """One thing that must be in order. `why`: what was found, or what is wrong and the remedy."""

    name: str
    green: bool
    why: str = ""


NATIVE = ("prometheus", "promtool", "alertmanager", "volume")
"""What is looked at on this machine, and comes with the images where the servers run in containers."""


def concerning(report: Report, place: str) -> Report:
    """What of a report concerns the place where the runs will be."""
    return Report(tuple(item for item in report.items if place != "docker" or item.name not in NATIVE))


def machine(report: Report) -> list[Item]:
    """What the machine lacks; one green item where it lacks nothing. No network is asked for anything."""
    lacking = [
        Item(f"machine: {i.name}", False, f"{i.found}; {i.remedy}") for i in report.items if i.status == "missing"
    ]
    return lacking or [Item("machine", True, "everything that a run needs is here")]


def kept_up(entries: Iterable[Entry]) -> list[Item]:
    """Stacks that `--keep` left up: no lack, the rehearsal itself stops them."""
    kept = [entry.run_dir for entry in entries if entry.kept and not entry.owner.alive()]
    why = f"--keep left a stack up ({', '.join(kept)}); the rehearsal proper, without --look, stops it"
    return [Item("machine: to itself", True, why)] if kept else []


def volume(report: Report, founds: Sequence[Found]) -> list[Item]:
    """Where no volume of bounded size can be had, scenarios that fill one skip what is best about them."""
    item = next((i for i in report.items if i.name == "volume"), None)
    wanting = [found.scenario.label for found in founds if any(c.needs == BOUNDED_VOLUME for c in _checks(found))]
    if item is None or item.status == "ok" or not wanting:
        return []
    return [Item("machine: volume", False, f"{item.found}: checks of {', '.join(wanting)} are skipped; {item.remedy}")]


def _checks(found: Found) -> Iterator[Check]:
    for phase in Phase:
        yield from found.scenario.phase_checks(phase)


def prepared(found: Found, make: Callable[[Found], Plan]) -> tuple[list[Item], Plan | None]:
    """Deployments, rules, dashboards, the tests of the alerts and the words for the stage of one scenario."""
    label, items = found.scenario.label, []
    try:
        plan = make(found)
    except LabError as error:
        return [Item(f"{label}: deployments and rules", False, str(error))], None
    items.append(Item(f"{label}: deployments and rules", True))
    items.append(_looked(f"{label}: dashboards", lambda: _dashboards((plan.broken, plan.fixed))))
    items.append(_looked(f"{label}: alerts", lambda: _alerts(found, str(plan.servers.promtool.path))))
    items.append(_looked(f"{label}: words for the stage", lambda: _words(found)))
    return items, plan


def shortened(items: Sequence[Item], before: Sequence[Item]) -> list[Item]:
    """Items to be shown, without a reason that was told already: one server that is missing fails every scenario."""
    told = {item.why for item in before}
    return [replace(item, why="as above") if item.why and item.why in told else item for item in items]


def _looked(name: str, look: Callable[[], str]) -> Item:
    """An item by a look that returns what is wrong, or raises it."""
    try:
        wrong = look()
    except (LabError, OSError, ValueError, subprocess.SubprocessError) as error:
        wrong = str(error)
    return Item(name, not wrong, wrong)


def _dashboards(deployments: Sequence[Deployment]) -> str:
    """Every panel of every dashboard has queries, and they are PromQL; Grafana's own variables stand for a length."""
    wrong = []
    for path in dict.fromkeys(
        [*(d.dashboard() for d in deployments), *sorted(compose_dir().glob("grafana/dashboards/*.json"))]
    ):
        dashboard = parse(path.read_text(encoding="utf-8"))
        if not dashboard.panels:
            wrong.append(f"{path}: no panel has a query")
        for title, expr in [(panel.title, expr) for panel in dashboard.panels for expr in panel.exprs]:
            try:
                promql_parser.parse(VARIABLE.sub("5m", expr))
            except ValueError as error:
                wrong.append(f"{path}: {title}: {error}")
    return "; ".join(wrong)


def _alerts(found: Found, promtool: str) -> str:
    """The rules' own tests, by promtool."""
    if not (found.folder / TESTS).is_file():
        return f"{found.folder}: no {TESTS}"
    done = subprocess.run(
        [promtool, "test", "rules", TESTS], cwd=found.folder, capture_output=True, text=True, timeout=60, check=False
    )
    said = (done.stdout + done.stderr).strip().splitlines()
    return "" if done.returncode == 0 else f"{found.folder / TESTS}: {said[-1] if said else 'fails'}"


def _words(found: Found) -> str:
    silent = [phase.value for phase, stop in stops(found).items() if not stop.text]
    return f"nothing to say before {', '.join(silent)}: the lesson has no such paragraph" if silent else ""


def played(plan: Plan, outcome: Outcome, history: History) -> list[Item]:
    """A run that was played: its verdict, and whether it was ready and over in its time."""
    label, items = plan.scenario.label, []
    passed = outcome.verdict is Verdict.PASS
    skipped = [r.name for r in outcome.judgement.results() if r.result.value == "skipped"]
    why = outcome.judgement.reason or (f"skipped: {', '.join(skipped)}" if skipped else f"{outcome.wall_s:.0f} s")
    items.append(Item(f"{label}: played", passed and not skipped, why))
    begun = history.first(PhaseStarted, name=Phase.STEADY.value)
    took = begun.t - outcome.header.started_at if begun else None
    why = "its services never came up" if took is None else f"{took:.1f} s of {READY_S:.0f} s"
    items.append(Item(f"{label}: ready within its time", took is not None and took <= READY_S, why))
    most = READY_S + longest_s(plan.scenario, plan.header)
    items.append(
        Item(f"{label}: over within its time", outcome.wall_s <= most, f"{outcome.wall_s:.0f} s of {most:.0f} s")
    )
    return items


def left_behind(plan: Plan, run_dir: Path) -> Item:
    """The reset between two takes: a run that is over must have left nothing that runs or lies about."""
    left = [entry for _, entry in entries() if entry.run_dir == str(run_dir)]
    why = f"{sum(len(e.children) for e in left)} processes may still run; `lab clean` ends them" if left else ""
    return Item(f"{plan.scenario.label}: nothing left behind", not left, why)
