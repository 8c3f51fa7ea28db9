"""A deployment: which files go live. The healthy one is the stack's own; `broken/` and `fixed/` lie over it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lab.errors import ScenarioError
from lab.names import NO_NAMES, Names
from lab.paths import compose_dir
from lab.settings_file import settings_in
from lab.translation import translate_dashboard, translate_rules, translate_scrapes

What = Literal["healthy", "broken", "fixed"]

FILES = (
    "metrics.py", "settings.env", "client.py", "prometheus.yml", "rules.yml", "alertmanager.yml", "dashboard.json",
)  # fmt: skip
"""The files a deployment may hold; any other name is an error, so that a typo is not passed over."""
DEPLOYED_RULES = "rules/deployed.yml"
"""Where the patient's configuration has the rules of a deployment."""
MAX_FILE = 4 << 20
"""Bytes that a file of a deployment may have."""


@dataclass(frozen=True)
class Deployment:
    """What is deployed: a name and the files that differ from the healthy stack."""

    what: What
    files: dict[str, Path] = field(default_factory=dict)
    names: Names = NO_NAMES
    """Of its metrics and jobs; the texts below, which servers and viewers get, have the lab's in their place."""

    def text(self, name: str, healthy: Path) -> str:
        """A file of this deployment, the healthy stack's where it has none."""
        return (self.files.get(name) or healthy).read_text(encoding="utf-8")

    def differs(self, other: Deployment, *files: str) -> bool:
        """Whether one of the files, or what their names stand for, is another in `other`."""
        return self.names != other.names or any(self.files.get(f) != other.files.get(f) for f in files)

    def copy_to(self, folder: Path) -> None:
        """Keep its files in a new folder: a user's own fix is evidence, and may be another by tomorrow."""
        folder.mkdir()
        for name, path in self.files.items():
            shutil.copyfile(path, folder / name)

    def prometheus_config(self) -> str:
        """The patient's configuration, at production timings."""
        text = self.text("prometheus.yml", compose_dir() / "prometheus" / "prometheus.yml")
        return translate_scrapes(text, self.names, first=False)

    def alertmanager_config(self) -> str:
        """Alertmanager's configuration, at production timings."""
        return self.text("alertmanager.yml", compose_dir() / "alertmanager" / "alertmanager.yml")

    @property
    def exposed(self) -> Names:
        """Those names that its metrics page has in place of ours."""
        if not self.names or "metrics.py" not in self.files:
            return NO_NAMES
        return self.names.said_in(self.files["metrics.py"].read_text(encoding="utf-8", errors="replace"))

    def dashboard(self) -> Path:
        """The dashboard that people look at."""
        return self.files.get("dashboard.json") or compose_dir() / "grafana" / "dashboards" / "queries.json"

    def dashboard_text(self) -> str:
        """What it shows."""
        return translate_dashboard(self.dashboard().read_text(encoding="utf-8"), self.names)

    def client_text(self) -> str:
        """The code of the service's clients: how they go on when a question is refused."""
        return self.text("client.py", Path(__file__).parent / "loadgen" / "client.py")

    def settings(self) -> dict[str, str]:
        """The service's settings that it brings. Raises `ScenarioError`."""
        path = self.files.get("settings.env")
        return settings_in(path) if path is not None else {}

    def prometheus_rules(self) -> dict[str, str]:
        """The patient's rule files: the service's own alerts and the deployment's."""
        found = rule_files(compose_dir() / "prometheus" / "rules", "rules")
        if "rules.yml" in self.files:
            found[DEPLOYED_RULES] = translate_rules(self.files["rules.yml"].read_text(encoding="utf-8"), self.names)
        return found


def rule_files(folder: Path, prefix: str) -> dict[str, str]:
    """All rule files of a folder: relative name in the configuration -> text."""
    return {
        f"{prefix}/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*.yml"))
        if not path.name.endswith(".test.yml")
    }


HEALTHY = Deployment("healthy")


def load(what: What, folder: Path) -> Deployment:
    """The deployment in a folder. Raises `ScenarioError` when it is missing, empty or holds a foreign or huge file."""
    if not folder.is_dir():
        raise ScenarioError(f"{folder}: no such folder; a deployment is a folder with one of {', '.join(FILES)}")
    files: dict[str, Path] = {}
    for path in sorted(folder.resolve().iterdir()):
        if path.name.startswith((".", "__")) or path.suffix == ".md":
            continue
        if path.name not in FILES or not path.is_file():
            raise ScenarioError(f"{path}: not a file of a deployment; those are {', '.join(FILES)}")
        if path.stat().st_size > MAX_FILE:
            raise ScenarioError(f"{path}: more than {MAX_FILE >> 20} MiB; no file of a deployment is so large")
        files[path.name] = path
    if not files:
        raise ScenarioError(f"{folder}: empty; a deployment holds one of {', '.join(FILES)}")
    return Deployment(what, files)
