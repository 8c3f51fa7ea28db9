"""JUnit XML, as CI systems read it: a test suite a run, a test case a check, timings as properties.

A doubt is an `error`, not a `failure`: what could not be measured says nothing of the rules or the fix. The last
case of each suite is the verdict itself, so that the file is red exactly when the exit code is not 0.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import JUnitXml, TestCase, TestSuite

from lab.errors import LabError
from lab.judge import PhaseResult
from lab.outcome import Outcome
from lab.scenario import CheckResult, Result, Verdict
from lab.text import clean

NAME = "lab"


def write(path: Path, outcomes: Sequence[Outcome], not_begun: Mapping[str, str] | None = None) -> None:
    """Replace the file by one of all these runs, at once. `not_begun`: label -> why. Raises `LabError`."""
    found = JUnitXml(NAME)
    suites = [_suite(outcome) for outcome in outcomes]
    for suite in (*suites, *(_missing(label, why) for label, why in (not_begun or {}).items())):
        found.append(suite)  # add_testsuite would make one of two that look alike
    found.update_statistics()
    for suite, outcome in zip(suites, outcomes, strict=True):  # checks are waited for side by side: no sum of theirs
        suite.time = round(outcome.wall_s, 3)
    found.time = round(sum(outcome.wall_s for outcome in outcomes), 3)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        found.write(str(temporary), pretty=True)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LabError(f"--junit {path}: {error.strerror or error}") from error


def _suite(outcome: Outcome) -> TestSuite:
    suite = TestSuite(outcome.header.label)
    for name, value in _properties(outcome).items():
        suite.add_property(name, value)
    for phase in outcome.judgement.phases:
        for result in phase.results:
            suite.add_testcase(_case(outcome.header.label, phase, result))
    suite.add_testcase(_verdict(outcome))
    suite.timestamp = datetime.datetime.fromtimestamp(outcome.header.started_at, datetime.UTC).isoformat()
    return suite


def _properties(outcome: Outcome) -> dict[str, str]:
    header, delays = outcome.header, outcome.delays
    seconds = {
        "time_to_detect_s": delays.time_to_detect_s,
        "signal_delay_s": delays.signal_delay_s,
        "pipeline_delay_s": delays.pipeline_delay_s,
        "pipeline_budget_s": header.pipeline_budget_s,
        "time_to_recover_s": delays.time_to_recover_s,
        "overhead_s": outcome.overhead_s,
    }
    said = {
        "verdict": outcome.verdict.value,
        "exit_code": str(outcome.exit_code),
        "speed": f"{header.speed:g}",
        "seed": str(header.seed),
        "runtime": header.runtime,
        **{f"version.{name}": version for name, version in header.versions.items()},
        "run_dir": clean(outcome.run_dir),
    }
    return said | {name: f"{value:.3f}" for name, value in seconds.items() if value is not None}


def _case(label: str, phase: PhaseResult, result: CheckResult) -> TestCase:
    name = f"guard: {result.name}" if result.guard else result.name
    case = TestCase(clean(name), classname=f"{NAME}.{label}.{phase.phase.value}")
    begun = not math.isnan(phase.start)
    case.time = round(max(0.0, result.at - phase.start), 3) if begun and result.at is not None else 0
    for key, value in (("mode", result.mode.value), ("expected", result.expected), ("observed", result.observed)):
        case.add_property(key, clean(value))
    if begun and result.since is not None:
        case.add_property("since_s", f"{result.since - phase.start:.3f}")
    said = f"expected {result.expected}; observed {result.observed}"
    said += f" ({result.reason})" if result.reason else ""
    if result.result is Result.FAIL:
        case.result = [Failure(clean(said), "check")]
    elif result.result is Result.INCONCLUSIVE:
        case.result = [Error(clean(said), "inconclusive")]
    elif result.result is Result.SKIPPED:
        case.result = [Skipped(clean(result.reason))]
    return case


def _verdict(outcome: Outcome) -> TestCase:
    case = TestCase("verdict", classname=f"{NAME}.{outcome.header.label}")
    reason = clean(outcome.judgement.reason)
    if outcome.interrupted:
        case.result = [Error("the run was interrupted", "interrupted")]
    elif outcome.verdict is Verdict.FAIL:
        case.result = [Failure(reason, "verdict")]
    elif outcome.verdict is Verdict.INCONCLUSIVE:
        case.result = [Error(reason, "inconclusive")]
    return case


def _missing(label: str, why: str) -> TestSuite:
    suite = TestSuite(label)
    case = TestCase("verdict", classname=f"{NAME}.{label}")
    case.result = [Error(clean(why), "inconclusive")]
    suite.add_testcase(case)
    return suite
