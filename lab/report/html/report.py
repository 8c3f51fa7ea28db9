"""`report.html` of a run: put together from the parts, written beside the journal."""

from __future__ import annotations

import math
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.catalog import all_names
from lab.report.html.channel import channels
from lab.report.html.charts import charts
from lab.report.html.headline import headline
from lab.report.html.marks import Band, Mark, bands, marks
from lab.report.html.page import embedded, render
from lab.report.html.quotes import quotes
from lab.report.html.sides import diffs
from lab.report.html.timeline import timeline
from lab.scale import QUICK
from lab.scenario import DEFAULT_SPEED
from lab.stored import FIX, Stored, load

NAME = "report.html"


def write_report(run: Path, to: Path | None = None) -> Path:
    """Make the report of a stored run, by default in its folder. Raises `UsageError`, or `OSError`."""
    stored = load(run)
    target = to or stored.run_dir / NAME
    part = target.with_name(f"{target.name}.part")
    part.write_text(report(stored), encoding="utf-8")
    part.replace(target)  # a reader never sees half a page
    return target


def report(stored: Stored) -> str:
    """The page."""
    happened = marks(stored)
    drawn = charts(stored)
    return render(
        "report.html",
        stored=stored,
        found=stored.outcome,
        header=stored.header,
        scenario=stored.found.scenario,
        top=headline(stored),
        charts=drawn,
        data=embedded(chart_data(stored, bands(stored), happened, [chart.to_json() for chart in drawn])),
        timeline=timeline(stored),
        channels=channels(stored),
        diffs=diffs(stored),
        quotes=quotes(stored),
        phases=phase_tables(stored),
        delays=delays(stored),
        repeat=command(stored),
        folder=shown(stored.run_dir),
        copied=(stored.run_dir / "scenario").is_dir(),
        own_fix=(stored.run_dir / FIX).is_dir(),
        math=math,
    )


def chart_data(stored: Stored, phases: list[Band], happened: list[Mark], drawn: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page's script draws from."""
    return {
        "speed": stored.header.speed,
        "phases": [{"name": b.name, "start": round(b.start, 3), "end": round(b.end, 3)} for b in phases],
        "marks": [{"t": round(m.t, 3), "n": m.number, "kind": m.kind} for m in happened],
        "charts": drawn,
    }


@dataclass(frozen=True)
class PhaseTable:
    """The checks of a phase. `reached`: whether it began; `held`: guards that did their work in silence."""

    name: str
    reached: bool
    why: str
    seconds: float
    results: tuple[Any, ...]
    held: tuple[Any, ...]
    start: float


def phase_tables(stored: Stored) -> list[PhaseTable]:
    """The phases with their checks; a guard that holds is folded away."""
    found = []
    for phase in stored.outcome.judgement.phases:
        reached = not math.isnan(phase.start)
        held = tuple(r for r in phase.results if r.guard and r.result.value == "pass")
        shown_ = tuple(r for r in phase.results if r not in held)
        why = "" if reached or not phase.results else phase.results[0].reason
        length = phase.end - phase.start if reached else 0.0
        found.append(PhaseTable(phase.phase.value, reached, why, length, shown_, held, phase.start))
    return found


@dataclass(frozen=True)
class Delay:
    """A bar: its length and its budget in seconds, and both in per cent of the longest."""

    name: str
    seconds: float
    simulated: float
    left: float
    width: float
    budget: float | None = None
    budget_at: float = 0.0


def delays(stored: Stored) -> list[Delay]:
    """Time to detect with its two parts, beside the pipeline's budget; time to recover."""
    found, header = stored.outcome.delays, stored.header
    budget = header.pipeline_budget_s
    signal, pipeline = found.signal_delay_s, found.pipeline_delay_s
    rows = [
        ("time to detect", 0.0, found.time_to_detect_s, None),
        ("of it signal", 0.0, signal, None),
        ("of it pipeline", signal or 0.0, pipeline, budget),
        ("time to recover", 0.0, found.time_to_recover_s, None),
    ]
    known = [(name, start, seconds, limit) for name, start, seconds, limit in rows if seconds is not None]
    longest = max([1e-9, *(start + max(seconds, limit or 0.0) for _, start, seconds, limit in known)])
    return [
        Delay(
            name, seconds, seconds * header.speed / 60, 100 * start / longest, 100 * seconds / longest, limit,
            100 * (start + (limit or 0.0)) / longest,
        )
        for name, start, seconds, limit in known
    ]  # fmt: skip


def command(stored: Stored) -> str:
    """The command that makes such a run again."""
    header, scenario = stored.header, stored.found.scenario
    target = scenario.label
    if scenario.name not in all_names():  # a folder of the user's own: its copy is in the run
        target = scenario.label.replace(scenario.name, shown(stored.run_dir / "scenario"), 1)
    parts = [f"lab run {target}", f"--runtime {header.runtime}", f"--seed {header.seed}"]
    if header.scale != QUICK:
        parts.append(f"--scale {header.scale}")
    if header.shape != scenario.load.shape:
        parts.append(f"--shape {header.shape}")
    if header.speed != DEFAULT_SPEED:
        parts.append(f"--speed {header.speed:g}")
    if header.users != scenario.load.users:
        parts.append(f"--users {header.users}")
    parts += [f"--{name}" for name, asked in (("control", header.control), ("strict", header.strict)) if asked]
    if (stored.run_dir / FIX).is_dir():
        parts.append(f"--fix {shown(stored.run_dir / FIX)}")
    if header.foreign_rules:
        parts.append("--detect YOUR-RULES.yml")
    parts += [f"--map {shlex.quote(f'{ours}={yours}')}" for ours, yours in header.names.items()]
    return " ".join(parts)


def shown(path: Path) -> str:
    """A path as it is typed from here; elsewhere its end only: a report is forwarded, and a home folder with it."""
    relative = os.path.relpath(path)
    return f"…/{'/'.join(path.parts[-3:])}" if relative.startswith("..") else shlex.quote(relative)
