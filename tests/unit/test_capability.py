"""A machine without a volume of bounded size: the checks that need one are skipped, with the reason."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.assembly import bounded
from lab.catalog import find
from lab.errors import StartError
from lab.events import Skipped
from lab.runtime import volume
from lab.scenario import BOUNDED_VOLUME


class Forbidden:
    """A runtime on such a machine."""

    def data_dir(self, _: Any) -> Path:
        raise StartError("no volume of bounded size: not permitted")


def test_the_run_goes_on_without_it() -> None:
    told: list[Any] = []
    journal: Any = SimpleNamespace(record=told.append)
    runtime: Any = Forbidden()
    assert bounded(find("cardinality").scenario, runtime, journal).storage.size_mib is None
    assert isinstance(told[0], Skipped)
    assert (told[0].capability, told[0].reason) == (BOUNDED_VOLUME, "no volume of bounded size: not permitted")


def test_a_mount_that_is_refused_says_so_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("unshare", "echo unshare: Operation not permitted; exit 1"), ("nsenter", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match=r"Operation not permitted.*sysctl"):
        volume.mount(tmp_path, 1.0, {"PATH": f"{tmp_path}:/usr/bin:/bin"})
