"""The configuration files of a run's servers, written at its speed and with its addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.catalog import RULES_OF
from lab.deployment import Deployment
from lab.endpoints import OBSERVER, PATIENT
from lab.names import NO_NAMES, Names
from lab.paths import compose_dir
from lab.published import Published
from lab.replicas import names as replicas
from lab.replicas import with_replicas
from lab.runtime.place import Servers
from lab.scenario import Scenario
from lab.services import alertmanager, prometheus
from lab.translation import translate_scrapes


@dataclass(frozen=True)
class Configs:
    """Writes below `folder`. `addresses`: `service:port` as compose/ spells it, to where it answers in this run."""

    folder: Path
    scenario: Scenario
    servers: Servers
    detect_rules: Mapping[str, str]
    speed: float
    addresses: Mapping[str, str]
    names: Names = NO_NAMES
    """Of the metrics in a learner's answer: the observer takes them under the lab's."""

    @property
    def patient_speed(self) -> float:
        """Of the patient's rules and lookback; its scrapes have the run's."""
        return 1.0 if self.scenario.patient.production_time else self.speed

    @property
    def published(self) -> Published:
        """What those outside of the stack read of the live deployment."""
        return Published(self.folder)

    def alertmanager(self, live: Deployment) -> Path:
        """The Alertmanager's."""
        return alertmanager.write_config(
            self.folder / "alertmanager", live.alertmanager_config(), self.speed, self.addresses
        )

    def patient(self, live: Deployment) -> Path:
        """The patient's, with the deployment's rules and the detection rules that are its own to evaluate."""
        rules = {**live.prometheus_rules(), **self._detecting(PATIENT)}
        return prometheus.write_config(
            self.folder / PATIENT, self._scraping(live.prometheus_config()), rules, self.servers.prometheus, self.speed,
            self.addresses, rules_speed=self.patient_speed,
        )  # fmt: skip

    def observer(self) -> Path:
        """The observer's."""
        own = (compose_dir() / "prometheus" / "observer.yml").read_text(encoding="utf-8")
        config = translate_scrapes(own, self.names, first=True)
        return prometheus.write_config(
            self.folder / OBSERVER, self._scraping(config), self._detecting(OBSERVER), self.servers.prometheus,
            self.speed, self.addresses,
        )  # fmt: skip

    def _scraping(self, config: str) -> str:
        return with_replicas(config, replicas(self.scenario.replicas))

    def _detecting(self, server: str) -> dict[str, str]:
        """The detection rules that a server evaluates."""
        return {name: text for name, text in self.detect_rules.items() if name.startswith(f"{RULES_OF[server]}/")}
