"""The process in which a learner's code runs: `python -m lab.exercises.child TASK FILE ASKED ANSWERED` (JSON files)."""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lab.exercises.anomaly import Anomaly, Reading


def detect(module: ModuleType, given: Any) -> list[list[list[float]]]:
    """For each seed a detector, built from the baseline and asked minute by minute: it never sees what comes."""
    return [_one_day(module, day) for day in given]


def _one_day(module: ModuleType, day: dict[str, Any]) -> list[list[float]]:
    detector = module.Detector(np.array(day["times"]), np.array(day["values"]))
    readings = []
    for time, value in zip(day["day_times"], day["day_values"], strict=True):
        found = detector.check(time, value)
        if not isinstance(found, Reading):
            raise TypeError(f"check() must return a Reading, not {type(found).__name__}")
        row = [float(found.expected), float(found.low), float(found.high), float(found.z), float(bool(found.flagged))]
        if not np.isfinite(row).all():
            raise ValueError(f"check() must return finite numbers, not {found}")
        readings.append(row)
    return readings


def notify(module: ModuleType, given: Any) -> list[dict[str, Any]]:
    """The payloads of both formats for each anomaly."""
    anomalies = [Anomaly(**one) for one in given]
    return [{"slack": module.slack(one), "discord": module.discord(one)} for one in anomalies]


def quality(module: ModuleType, given: Any) -> dict[str, Any]:
    """The score of each (question, answer, context), and the trend of each day."""
    scores = [float(module.score(*one)) for one in given["queries"]]
    trends = [float(module.trend(np.array(times), np.array(values))) for times, values in given["days"]]
    return {"scores": scores, "trends": trends}


TASKS: dict[str, Callable[[ModuleType, Any], Any]] = {"detect": detect, "notify": notify, "quality": quality}


def load(path: Path) -> ModuleType:
    """The learner's file as a module."""
    spec = importlib.util.spec_from_file_location(f"answer_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _described(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno or 1
    else:
        inside = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        line = (inside or [1])[-1] or 1
    return f"{path.name}:{line}: {type(error).__name__}: {error}"


def main(task: str, path: Path, asked: Path, answered: Path) -> None:
    """Write the result, or what went wrong and where."""
    try:
        result = {"result": TASKS[task](load(path), json.loads(asked.read_text(encoding="utf-8")))}
        written = json.dumps(result)
    except (Exception, SystemExit) as error:
        written = json.dumps({"error": _described(path, error)})
    answered.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], *(Path(argument) for argument in sys.argv[2:5]))
