"""`metrics.py` of a deployment: the service's metrics. Compiled here, not run: the service does that."""

from __future__ import annotations

from pathlib import Path

from lab.errors import ScenarioError


def check_metrics(path: Path) -> None:
    """Raises `ScenarioError`, with file and line, where it is no Python: a service would end with it at its start."""
    remedy = "mend it: the service would not start with it"
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ScenarioError(f"{path}:{error.lineno or 1}: {error.msg}; {remedy}") from error
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: {getattr(error, 'strerror', None) or error}; {remedy}") from error
