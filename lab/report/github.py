"""GitHub Actions: a step summary in Markdown, and annotations: each check that failed, or why the run is a doubt.

Each is written where its variable says so (`GITHUB_STEP_SUMMARY`, `GITHUB_ACTIONS`) and nowhere else.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from lab.outcome import Outcome
from lab.scenario import CheckResult, Result
from lab.text import clean

MAX_ANNOTATIONS = 10
"""GitHub shows ten of a kind for a step; of one run no more are written."""
MAX_SUMMARY_BYTES = 900_000
"""GitHub refuses a step summary over 1 MiB as a whole; beyond this only the verdict's line is written."""
_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "skipped": "➖"}


def report(outcome: Outcome, environ: Mapping[str, str], out: TextIO) -> None:
    """Write what the variables ask for. Annotations go to `out`: the runner reads both streams of a step."""
    if environ.get("GITHUB_ACTIONS") == "true":
        for line in commands(outcome):
            out.write(f"{line}\n")
        out.flush()
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(path), summary(outcome), _headline(outcome) + "\n", out)


def tell_not_begun(label: str, why: str, environ: Mapping[str, str], out: TextIO) -> None:
    """A run that there was no time for."""
    if environ.get("GITHUB_ACTIONS") == "true":
        out.write(f"{_command('warning', label, why)}\n")
        out.flush()
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        line = f"### {_MARKS['inconclusive']} {_md(label)}: inconclusive: {_md(why)}\n\n"
        _append(Path(path), line, line, out)


def _append(path: Path, text: str, short: str, out: TextIO) -> None:
    """`short`: where `text` has no room. A summary that can't be written is no reason to lose a verdict."""
    try:
        size = path.stat().st_size if path.exists() else 0
        if size + len(text.encode()) > MAX_SUMMARY_BYTES:
            text = short
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        out.write(f"lab: GITHUB_STEP_SUMMARY {clean(str(path))}: {error.strerror or error}\n")


def commands(outcome: Outcome) -> list[str]:
    """Workflow commands: an error for each failed check; for a doubt one warning, since it has one cause."""
    label = outcome.header.label
    failed = [r for r in outcome.judgement.results() if r.result is Result.FAIL]
    lines = [_command("error", f"{label}: {r.name}", _said(r)) for r in failed]
    if not lines and outcome.exit_code != 0:
        why = "the run was interrupted" if outcome.interrupted else outcome.judgement.reason
        lines.append(_command("warning", label, why))
    if len(lines) > MAX_ANNOTATIONS:
        more = len(lines) - MAX_ANNOTATIONS + 1
        lines[MAX_ANNOTATIONS - 1 :] = [_command("notice", label, f"and {more} more checks")]
    return lines


def _command(level: str, title: str, message: str) -> str:
    """A property of a workflow command is ended by a colon or a comma, so in the title they are escaped."""
    return f"::{level} title={_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(message)}"


def _said(result: CheckResult) -> str:
    why = f" ({result.reason})" if result.reason else ""
    return f"expected {result.expected}; observed {result.observed}{why}"


def summary(outcome: Outcome) -> str:
    """One run as Markdown: the verdict, the delays, and the table of checks."""
    lines = [_headline(outcome), "", *_delays(outcome), "", "| | phase | check | expected | observed |"]
    lines.append("|---|---|---|---|---|")
    for phase in outcome.judgement.phases:
        if math.isnan(phase.start) and phase.results:
            lines.append(
                f"| ➖ | {phase.phase.value} | {len(phase.results)} checks | | {_md(phase.results[0].reason)} |"
            )
            continue
        for r in phase.results:
            if r.guard and r.result is Result.PASS:
                continue
            why = f" ({r.reason})" if r.reason else ""
            name = f"guard: {r.name}" if r.guard else r.name
            cells = (phase.phase.value, _md(name), _md(r.expected), _md(r.observed + why))
            lines.append(f"| {_MARKS[r.result.value]} | {' | '.join(cells)} |")
    evidence = [f"- {_md(line[:400])}" for line in outcome.evidence]
    if evidence:
        lines += ["", "What the servers said:", "", *evidence]
    return "\n".join([*lines, "", ""])


def _headline(outcome: Outcome) -> str:
    verdict = "interrupted" if outcome.interrupted else outcome.verdict.value
    why = f": {_md(outcome.judgement.reason)}" if outcome.judgement.reason else ""
    return f"### {_MARKS.get(verdict, '❔')} {_md(outcome.header.label)}: {verdict}{why}"


def _delays(outcome: Outcome) -> Iterator[str]:
    d, header = outcome.delays, outcome.header
    if d.time_to_detect_s is not None:
        yield (
            f"Time to detect {d.time_to_detect_s:.1f} s (simulated {d.time_to_detect_s * header.speed / 60:.1f} min; "
            f"budget of the pipeline {header.pipeline_budget_s:.1f} s)."
        )
    if d.time_to_recover_s is not None:
        yield f"Time to recover {d.time_to_recover_s:.1f} s."
    versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
    yield f"Wall time {outcome.wall_s:.1f} s; {_md(versions)}; speed {header.speed:g}, seed {header.seed}."


def _md(text: str) -> str:
    """Text that stays text in Markdown: in a table's cell, without markup of any kind."""
    plain = html.escape(clean(text), quote=False)
    return re.sub(r"([\\`*_{}\[\]()#+!|~@:])", r"\\\1", plain)


def _data(text: str) -> str:
    """The message of a workflow command."""
    return clean(text).replace("%", "%25")
