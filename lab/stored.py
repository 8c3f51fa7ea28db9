"""A stored run: what `lab analyze`, `lab report` and `lab runs` read of its folder. No servers, no network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.catalog import FILE, Found, find
from lab.errors import UsageError
from lab.events import RunEnded, Unmeasured
from lab.journal import Header, Recording, read
from lab.judge import Judgement, PhaseResult, judge
from lab.outcome import Outcome, outcome
from lab.scenario import CheckResult, Mode, Phase, Result, Verdict

JOURNAL = "journal.jsonl"
VERDICT = "verdict.json"
FIX = "fix"
"""The folder of a run that has the files of a user's own fix, where one was given."""
LONG = 20_000
"""Samples beyond which a verdict that is already there is taken as it is: judging looks at every moment."""


@dataclass(frozen=True)
class Stored:
    """A run read back and judged. `damaged`: where its journal breaks off, empty when it does not."""

    run_dir: Path
    recording: Recording
    header: Header
    found: Found
    outcome: Outcome
    damaged: str


def load(run: Path) -> Stored:
    """The run in a folder, or of a journal; judged again, unless it is so long that its verdict is taken.

    Raises `UsageError` for what is no run or has nothing recorded.
    """
    journal = run if run.is_file() else run / JOURNAL
    recording = read(journal)
    if recording.header is None:
        raise UsageError(f"{journal}: empty; nothing was recorded")
    header, history, run_dir = recording.header, recording.history, journal.parent.resolve()
    found = _scenario(run_dir, header)
    damaged = recording.damaged or ("" if history.first(RunEnded) else "it has no end")
    judgement = None
    if len(history.samples) > LONG:
        judgement = _kept(run_dir / VERDICT)
    if judgement is None:
        judgement = judge(found.scenario, header, history, damaged=recording.damaged)
    told = outcome(header, history, judgement)
    interrupted = any(event.reason == "interrupted" for event in history.of(Unmeasured))
    told = replace(told, run_dir=str(run_dir), interrupted=interrupted)
    return Stored(run_dir, recording, header, found, told, damaged)


def _scenario(run_dir: Path, header: Header) -> Found:
    """The scenario as it was run; where the folder has no copy, the lab's own of that name."""
    copy = run_dir / "scenario"
    found = find(str(copy) if (copy / FILE).is_file() else header.scenario, header.variant)
    return found.at(header.scale)


def _kept(path: Path) -> Judgement:
    """The judgement in a `verdict.json`; one that says so where there is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        phases = tuple(_phase(phase) for phase in record["phases"])
        return Judgement(phases, Verdict(record["verdict"]), str(record["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        why = f"not judged: more than {LONG:,} samples and no {VERDICT}; `lab analyze` judges it"
        return Judgement((), Verdict.INCONCLUSIVE, why)


def _phase(record: Mapping[str, Any]) -> PhaseResult:
    begun = record["started_at"] is not None
    start = float(record["started_at"]) if begun else math.nan
    end = start + float(record["duration_s"]) if begun else math.nan
    return PhaseResult(Phase(record["name"]), start, end, tuple(_result(check, start) for check in record["checks"]))


def _result(record: Mapping[str, Any], start: float) -> CheckResult:
    after = record["after_s"]
    return CheckResult(
        name=str(record["name"]), mode=Mode(record["mode"]), expected=str(record["expected"]),
        observed=str(record["observed"]), result=Result(record["result"]), reason=str(record["reason"]),
        at=None if after is None else start + float(after), guard=bool(record["guard"]),
    )  # fmt: skip
