"""A real VictoriaMetrics: from PATH, the cache, or the distribution's signed package, unpacked there without root."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from lab.install.cache import cache_dir
from lab.install.debian import Apt
from lab.install.source import SourceError

PACKAGE = PROGRAM = "victoria-metrics"


def victoria_metrics() -> Path:
    """The program; skips the test, with the reason, where it can't be had."""
    kept = cache_dir() / "for-tests" / PROGRAM
    if on_path := shutil.which(PROGRAM):
        return Path(on_path)
    if not kept.is_file():
        try:
            _fetch(kept)
        except (SourceError, OSError) as error:
            pytest.skip(f"no {PROGRAM} on PATH, and its package can't be had: {error}")
    return kept


def _fetch(kept: Path) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SourceError(f"there is no {tool} on this machine")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        tree = Path(folder) / "tree"
        Apt(Path(folder) / "apt", print).unpack(PACKAGE, tree)
        program = tree / "usr" / "bin" / PROGRAM
        program.chmod(0o755)
        program.replace(kept)  # appears whole
