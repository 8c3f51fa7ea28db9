"""A program that is asked briefly: nothing that it has printed is lost, whatever the moment of its end."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from lab.install import bounded


def test_what_is_printed_at_the_very_end_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints and ends just when the lab has waited in vain and asks whether it has ended."""

    def ends_just_now(process: subprocess.Popen[bytes]) -> bool:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return True

    monkeypatch.setattr(bounded, "_has_exited", ends_just_now)
    found = bounded.run(["/bin/sh", "-c", "sleep 0.2; echo prometheus, version 3"], deadline_s=5)
    assert found == bounded.Outcome(0, "prometheus, version 3\n")


def test_a_child_that_holds_the_pipe_holds_nobody_up() -> None:
    begun = time.monotonic()
    found = bounded.run(["/bin/sh", "-c", "sleep 30 & echo done"], deadline_s=20)
    assert found == bounded.Outcome(0, "done\n")
    assert time.monotonic() - begun < 10, "well before its deadline"
