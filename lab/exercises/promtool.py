"""When the alerts of a rule file would have fired, as `promtool test rules` evaluates it on given series.

The rules are evaluated exactly as written, with the engine of Prometheus, in simulated time and without a server. Each
minute is a test that expects no firing alert; what promtool got instead is the answer.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lab.errors import LabError
from lab.exercises.answers import AnswerError
from lab.install import BinaryError, find
from lab.text import one_line
from lab.timescale import Duration

DEADLINE_S = 180.0
FIRING = 'count by (job) (ALERTS{alertstate="firing"})'
_GOT = re.compile(r"time: (?P<time>\w+),\s+exp: *(?P<exp>[^\n]*)\n\s+got: *(?P<got>[^\n]*)")
_JOB = re.compile(r'\{(?:job="(?P<job>[^"]*)")?\} ')
NO_JOB = ""
"""Of an alert that has lost the label `job`."""


class PromtoolMissingError(LabError):
    """There is no promtool on this machine; the message says how to get one."""


def promtool() -> Path:
    """The promtool to use. Raises `PromtoolMissingError`."""
    try:
        return find("promtool").path
    except BinaryError as error:
        raise PromtoolMissingError(one_line(str(error))) from error


def firing(
    rules: str, series: Mapping[str, Sequence[float]], step_s: int, minutes: Iterable[int]
) -> dict[str, list[int]]:
    """At which of the minutes an alert was firing, by its `job`. `series`: values at each step, by name and labels.

    Rules are evaluated once a minute. Raises `PromtoolMissingError`; `AnswerError` with promtool's words.
    """
    program = promtool()
    with tempfile.TemporaryDirectory(prefix="lab-exercise-") as name:
        folder = Path(name)
        (folder / "rules.yml").write_text(rules, encoding="utf-8")
        (folder / "test.yml").write_text(_tests(series, step_s, minutes), encoding="utf-8")
        argv = [str(program), "check", "rules", "rules.yml"]
        code, said = _run(argv, folder, "rules.yml")
        if code != 0:
            raise AnswerError(f"rules.yml: {_complaint(said)} (promtool check rules)")
        code, said = _run([str(program), "test", "rules", "test.yml"], folder, "rules.yml")
    found = parsed(said)
    if code != 0 and not found:
        raise AnswerError(f"rules.yml: {_complaint(said)} (promtool test rules)")
    return found


def refused(config: str) -> str:
    """What promtool has against a prometheus.yml; nothing where it accepts it. Files that it names are not looked for.

    Raises `PromtoolMissingError`; `AnswerError` where promtool does not come to an end.
    """
    program = promtool()
    with tempfile.TemporaryDirectory(prefix="lab-exercise-") as name:
        folder = Path(name)
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")
        argv = [str(program), "check", "config", "--syntax-only", "prometheus.yml"]
        code, said = _run(argv, folder, "prometheus.yml")
    return f"{_complaint(said)} (promtool check config)" if code else ""


def parsed(said: str) -> dict[str, list[int]]:
    """The firing minutes by job, from what promtool says of the tests that failed."""
    found: dict[str, list[int]] = {}
    for match in _GOT.finditer(said):
        minute = round(Duration.parse(match["time"]).seconds / 60)
        for job in _JOB.finditer(match["got"]):
            found.setdefault(job["job"] or NO_JOB, []).append(minute)
    return found


def _tests(series: Mapping[str, Sequence[float]], step_s: int, minutes: Iterable[int]) -> str:
    """A test file; JSON is YAML."""
    test = {
        "interval": f"{step_s}s",
        "input_series": [
            {"series": name, "values": " ".join(f"{value:g}" if value % 1 else f"{value:.0f}" for value in values)}
            for name, values in series.items()
        ],
        "promql_expr_test": [{"expr": FIRING, "eval_time": f"{minute}m"} for minute in minutes],
    }
    return json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]})


def _run(argv: list[str], folder: Path, file: str) -> tuple[int, str]:
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise AnswerError(f"{file}: promtool was not done with it after {DEADLINE_S:.0f} s") from None
    except OSError as error:
        raise PromtoolMissingError(f"{argv[0]}: {error.strerror}") from error
    return done.returncode, done.stdout + done.stderr


def _complaint(said: str) -> str:
    lines = [line.strip() for line in said.partition("FAILED:")[2].splitlines() if line.strip()]
    return " ".join(dict.fromkeys(lines))[:300] or one_line(said)[:300] or "promtool gave no reason"
