"""Shared helpers: paths, recorded runs, a sandboxed state folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).parent / "recorded"

# Tests say where they run: an engine that happens to answer changes nothing for the others.
os.environ.setdefault("LAB_RUNTIME", "native")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The register of runs, away from the user's."""
    folder = tmp_path / "state"
    monkeypatch.setenv("LAB_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def tool() -> None:
    """Promtool; skips the test with the reason where there is none."""
    from lab.exercises.promtool import PromtoolMissingError, promtool

    try:
        promtool()
    except PromtoolMissingError as error:
        pytest.skip(str(error))
