"""Whatever way a run ends: nothing of it is left, and nothing that is not its own is touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_run import LAB, hears_ctrl_c, journal_says, of_run
from waiting import until

from lab.identity import identity

pytestmark = pytest.mark.e2e


class Live:
    """A run in the background, past the start of its traffic."""

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.env = {**os.environ, "LAB_STATE_DIR": str(tmp / "state")}
        self.process = subprocess.Popen(
            [*LAB, "run", "cardinality", "--out", str(tmp / "runs"), "--json", str(tmp / "o.json")],
            stderr=subprocess.PIPE,
            env=self.env,
            preexec_fn=hears_ctrl_c,
        )
        until(journal_says(tmp, '"requests_per_s"'), 60, "traffic flows")
        entry = next((tmp / "state").glob("*.json"))
        self.run_id = str(json.loads(entry.read_text())["run_id"])
        self.temp = Path(tempfile.gettempdir()) / f"lab-run-{self.run_id}"

    def unread(self) -> None:
        """Nobody reads its story any more."""
        assert self.process.stderr is not None
        self.process.stderr.close()

    def lab(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*LAB, *args], capture_output=True, text=True, timeout=60, env=self.env, check=False)

    def gone(self) -> None:
        """Nothing of the run is left: no process, no temp folder, no mount, no entry."""
        until(lambda: not of_run(self.run_id), 30, "its processes are gone")
        assert not self.temp.exists()
        assert self.run_id not in Path("/proc/self/mounts").read_text()
        assert not list((self.tmp / "state").glob(f"{self.run_id}*"))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    run = Live(tmp_path)
    yield run
    run.process.kill()
    run.process.wait()
    run.unread()
    run.lab("clean")


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


def test_kill_9_then_any_command(live: Live, stranger: subprocess.Popen[bytes]) -> None:
    assert len(of_run(live.run_id)) >= 7
    live.process.kill()
    live.process.wait()
    # A dead run that once had this pid: the number is a stranger's now, with another start.
    recycled = {"pid": stranger.pid, "start": "long:ago"}
    precious = live.tmp / "precious"
    precious.mkdir()
    (live.tmp / "state" / "old.json").write_text(
        json.dumps(
            {"run_id": "old", "owner": recycled, "run_dir": "/", "children": [recycled], "folders": [str(precious)]}
        )
    )
    swept = live.lab("clean")
    assert swept.returncode == 0, swept.stderr
    live.gone()
    assert stranger.poll() is None
    assert precious.is_dir()


@pytest.mark.sabotage
def test_clean_leaves_a_live_run_alone(live: Live) -> None:
    before = set(of_run(live.run_id))
    assert "nothing was left behind" in live.lab("clean").stdout
    assert before <= set(of_run(live.run_id))
    assert live.process.poll() is None


@pytest.mark.parametrize("signals", [
    pytest.param((signal.SIGINT,), marks=pytest.mark.sabotage), (signal.SIGINT, signal.SIGINT, signal.SIGTERM),
    pytest.param((signal.SIGHUP,), marks=pytest.mark.sabotage),
])  # fmt: skip
def test_an_interrupt_keeps_the_partial_run_and_stops_everything(signals: tuple[int, ...], live: Live) -> None:
    live.unread()  # Ctrl-C ends a `| tee`, too; a terminal that is closed takes no more
    for number in signals:
        live.process.send_signal(number)
    assert live.process.wait(60) == 130
    outcome = json.loads((live.tmp / "o.json").read_text())
    assert (outcome["verdict"], outcome["exit_code"]) == ("inconclusive", 130)
    assert (Path(outcome["run_dir"]) / "journal.jsonl").stat().st_size > 1000
    live.gone()


def test_a_recycled_pid_is_another_process(stranger: subprocess.Popen[bytes]) -> None:
    who = identity(stranger.pid)
    assert who is not None
    assert who.alive()
    assert not type(who)(who.pid, "long:ago").alive()
