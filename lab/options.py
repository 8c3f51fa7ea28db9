"""What the user asked of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.errors import UsageError
from lab.load_elsewhere import Elsewhere
from lab.scale import QUICK, ScaleName
from lab.scenario import DEFAULT_SPEED, Shape

MAX_SPEED = 20.0
"""Played faster, a `for` of the lab's own rules would last less than `lab.timescale.MIN_FOR_S`."""


@dataclass(frozen=True)
class Options:
    """Options of `lab run`, after flag > LAB_* > lab.toml > default. Raises `UsageError` for a speed out of range."""

    runtime: Literal["auto", "native", "docker"] = "auto"
    speed: float = DEFAULT_SPEED
    seed: int = 1
    out: Path = Path("runs")
    keep: bool = False
    strict: bool = False
    control: bool = False
    fix: Path | None = None
    detect: Path | None = None
    names: tuple[str, ...] = ()
    """`OURS=YOURS`: names of metrics and jobs in `fix` and `detect` that are not the lab's."""
    scale: ScaleName = QUICK
    users: int | None = None
    workers: int = 0
    """Locust workers beside a master; 0: one process makes all the traffic."""
    elsewhere: Elsewhere | None = None
    """Where `workers` is what somebody starts by hand, here or on other machines."""
    prometheus_bin: Path | None = None
    alertmanager_bin: Path | None = None
    shape: Shape | None = None
    """How the number of users goes with time; None: as the scenario says."""
    max_wall_s: float | None = None
    """Seconds after which the run is ended and inconclusive; None: the deadlines of its checks alone."""

    def __post_init__(self) -> None:
        if not 1.0 <= self.speed <= MAX_SPEED:
            raise UsageError(f"--speed {self.speed:g}: not between 1 (real time) and {MAX_SPEED:g}")

    @property
    def only_native(self) -> str:
        """The option that containers can't serve, if there is one: `auto` is native with it."""
        asked = {
            "prometheus-bin": self.prometheus_bin, "alertmanager-bin": self.alertmanager_bin,
            "expect-workers": self.elsewhere, "workers": self.workers, "scale": self.scale != QUICK,
        }  # fmt: skip
        return next((name for name, given in asked.items() if given), "")

    @property
    def also_host(self) -> str:
        """A second address at which the service answers queries: workers elsewhere reach it there."""
        return self.elsewhere.host if self.elsewhere and self.elsewhere.open else ""
