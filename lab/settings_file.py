"""`settings.env` of a deployment: settings of the service, one RAG_NAME=value a line."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lab.errors import ScenarioError
from lab.rag.errors import ConfigError
from lab.rag.settings import ENV_PREFIX, Settings, parse

LABS = frozenset({
    "host", "also_host", "port", "metrics_host", "metrics_port", "metrics", "log_file", "seed", "redis_url",
    "admin_token", "admin_networks",
})  # fmt: skip
"""Settings that the lab gives itself; a deployment has the others."""


def settings_in(path: Path) -> dict[str, str]:
    """Settings by their name without the prefix, in small letters. Raises `ScenarioError` with file and line."""
    known = {field.name for field in dataclasses.fields(Settings)} - LABS
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {getattr(error, 'strerror', None) or 'is no UTF-8 text'}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.strip().partition("=")
        short = name.removeprefix(ENV_PREFIX).lower()
        if not equals or not name.startswith(ENV_PREFIX) or short not in known:
            raise ScenarioError(
                f"{path}:{number}: {name[:60]}: no setting that a deployment has; write {ENV_PREFIX}NAME=value "
                "(`python -m lab.rag --help` lists them)"
            )
        try:
            parse([], {name: value})
        except ConfigError as error:
            raise ScenarioError(f"{path}:{number}: {error}") from error
        found[short] = value
    return found
