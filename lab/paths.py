"""Where the lab's own data lie: in the wheel under lab/_data/, in a checkout beside the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_root() -> Path:
    """The folder that holds scenarios/ and compose/."""
    packed = _PACKAGE / "_data"
    return packed if packed.is_dir() else _PACKAGE.parent


def scenarios_dir() -> Path:
    """The scenarios that come with the lab."""
    return data_root() / "scenarios"


def compose_dir() -> Path:
    """Configuration of the stack at production timings."""
    return data_root() / "compose"
