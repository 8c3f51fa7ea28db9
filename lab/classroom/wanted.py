"""What `lab up` was asked for, on its way to the owner's process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.options import Options

PATHS = ("out", "fix", "detect", "prometheus_bin", "alertmanager_bin")


@dataclass(frozen=True)
class Wanted:
    """A stack for a scenario, or for any (`target` empty)."""

    target: str
    options: Options

    def to_json(self) -> str:
        """For the owner's command line."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Wanted:
        """What `to_json` has made."""
        found = json.loads(text)
        options: dict[str, Any] = {
            k: Path(v) if k in PATHS and v is not None else v for k, v in found["options"].items()
        }
        options["names"] = tuple(options["names"])
        return cls(found["target"], Options(**options))
