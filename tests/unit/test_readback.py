"""The rule is asked afterwards, of whoever answers; the end of the run's time is not lost among those who do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from histories import header

from lab import readback
from lab.errors import OverTime
from lab.events import Deployed
from lab.journal import Journal
from lab.prom import ApiError
from lab.readback import read_back_signal


def read_back(folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(readback, "Prometheus", refuses)
    journal = Journal(folder / "journal.jsonl", header())
    journal.record(Deployed(1.0, "broken"))
    read_back_signal(SimpleNamespace(address=lambda name: name), journal)  # type: ignore[arg-type]


def test_a_server_that_does_not_answer_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_back(tmp_path, monkeypatch, ApiError("no answer"))


def test_the_end_of_the_runs_time_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OverTime):
        read_back(tmp_path, monkeypatch, OverTime("not over when --max-wall ended it, after 20 s"))
