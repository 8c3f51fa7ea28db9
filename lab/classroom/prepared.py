"""From `lab up [NAME]` to a stack that can be started: everything that can be refused is refused here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import lab.loadgen
from lab import catalog, plan
from lab.catalog import Found
from lab.classroom.general import general
from lab.deployment import Deployment
from lab.options import Options
from lab.rulecheck import check_deployment, check_rules, check_speed
from lab.runtime.place import Place, decide
from lab.scenario import Scenario
from lab.services.prometheus import min_scrapes


@dataclass(frozen=True)
class Prepared:
    """A teaching stack that can be started. `label`: the scenario that it was made for; empty: any."""

    label: str
    scenario: Scenario
    locustfile: Path
    place: Place
    detect_rules: dict[str, str]
    options: Options

    def check(self, deployment: Deployment) -> None:
        """Refuse a deployment that the servers would not take. Raises `RulesError`."""
        servers, speed = self.place.servers, self.options.speed
        rules_speed = 1.0 if self.scenario.patient.production_time else speed
        scrapes = min_scrapes(servers.prometheus)
        check_deployment(servers.promtool, deployment, speed, scrapes, rules_speed=rules_speed)


def prepare(found: Found | None, options: Options) -> Prepared:
    """A stack for a scenario, or one for any. Raises `UsageError` in one line."""
    return _for_any(options) if found is None else _for_one(found, options)


def _for_one(found: Found, options: Options) -> Prepared:
    made = plan.make(found, options)
    locustfile = found.folder / made.scenario.load.locustfile
    return Prepared(made.scenario.label, made.scenario, locustfile, made.place, made.detect_rules, options)


def _for_any(options: Options) -> Prepared:
    scenario = general()
    if options.users is not None:
        scenario = replace(scenario, load=replace(scenario.load, users=options.users))
    place = decide(options)
    rules, sources = plan.rules_of(catalog.find(catalog.names()[0]), options)
    check_rules(place.servers.promtool, rules, sources)
    check_speed(rules, sources, options.speed, min_scrapes(place.servers.prometheus))
    locustfile = Path(lab.loadgen.__file__).parent / scenario.load.locustfile
    return Prepared("", scenario, locustfile, place, rules, options)
