"""Two runs in a row: however the series ends, nothing of either is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from lab_run import LAB, hears_ctrl_c, journal_says
from waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.whole]
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
SHORT = ("cardinality", "--all-variants", "--detect", str(SABOTAGE / "always_fires.yml"), "--runtime", "native")


class Series:
    """Both variants of a scenario, under a rule that ends each after seconds, with a folder for what is temporary."""

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.temp = Path(tempfile.mkdtemp(prefix="lab-series-", dir=tempfile.gettempdir()))
        self.env = {**os.environ, "LAB_STATE_DIR": str(tmp / "state"), "TMPDIR": str(self.temp)}
        self.process = subprocess.Popen(
            [*LAB, "run", *SHORT, "--out", str(tmp / "runs"), "--json", str(tmp / "all.json")],
            stderr=subprocess.DEVNULL, env=self.env, preexec_fn=hears_ctrl_c,
        )  # fmt: skip

    def over(self) -> bool:
        """Whether nothing is measured any more in one of them."""
        return journal_says(self.tmp, '"run_ended"')()

    def begun(self) -> int:
        """How many runs have a folder."""
        return len(list((self.tmp / "runs").glob("cardinality/*")))

    def nothing_is_left(self) -> None:
        own = f"TMPDIR={self.temp}"
        assert [p for p in psutil.process_iter() if own in environment(p)] == []
        assert list(self.temp.iterdir()) == []
        assert list((self.tmp / "state").iterdir()) == []


def environment(process: psutil.Process) -> list[str]:
    try:
        return [f"{name}={value}" for name, value in process.environ().items()]
    except psutil.Error:
        return []


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Series]:
    found = Series(tmp_path)
    yield found
    found.process.kill()
    found.process.wait()
    subprocess.run([*LAB, "clean"], capture_output=True, timeout=60, env=found.env, check=True)
    found.temp.rmdir()


def test_a_series_leaves_nothing(series: Series) -> None:
    assert series.process.wait(300) == 1
    found = json.loads((series.tmp / "all.json").read_text())
    assert [(one["variant"], one["verdict"]) for one in found] == [("default", "fail"), ("crash", "fail")]
    series.nothing_is_left()


@pytest.mark.parametrize("moment", ["the first is over", "the second has begun"])
def test_an_interrupt_between_two_runs_leaves_nothing(series: Series, moment: str) -> None:
    until(lambda: series.over() or series.process.poll() is not None, 120, "the first is over")
    assert series.over()
    if moment == "the second has begun":
        until(lambda: series.begun() == 2, 60, "the second has begun")
    series.process.send_signal(signal.SIGINT)
    series.process.send_signal(signal.SIGINT)  # somebody is impatient
    assert series.process.wait(60) == 130
    assert json.loads((series.tmp / "all.json").read_text())[0]["verdict"] == "fail"
    assert list((series.tmp / "runs").glob("all/*/index.html"))
    series.nothing_is_left()
