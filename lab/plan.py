"""From options to a plan: everything that can be refused is refused here, before anything is started."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from lab import __version__, deployment
from lab.asked import check_figures
from lab.budget import pipeline_budget_s
from lab.catalog import RULES_OF, Found, alerts_in
from lab.deployment import HEALTHY, Deployment, rule_files
from lab.errors import RulesError, UsageError
from lab.journal import Header
from lab.mapped import names_for
from lab.names import NO_NAMES, Names
from lab.options import Options
from lab.paths import compose_dir
from lab.rulecheck import check_deployment, check_rules, check_speed
from lab.runtime.place import Place, Servers, decide
from lab.scenario import Scenario
from lab.services.prometheus import min_scrapes
from lab.translation import translate_rules
from lab.view import SCRAPE


@dataclass(frozen=True)
class Plan:
    """A run that can be started."""

    found: Found
    scenario: Scenario
    options: Options
    place: Place
    detect_rules: dict[str, str]
    broken: Deployment
    fixed: Deployment
    header: Header
    names: Names = NO_NAMES
    """Of the answer's metrics and jobs."""

    @property
    def rules_as_ours(self) -> dict[str, str]:
        """The rules that detect, with our names in a learner's."""
        return {name: translate_rules(text, self.names, filename=name) for name, text in self.detect_rules.items()}

    @property
    def servers(self) -> Servers:
        """The real servers of the run."""
        return self.place.servers


def make(found: Found, options: Options) -> Plan:
    """Check everything and put it together. Raises `UsageError` in one line."""
    found = found.at(options.scale)
    options = _slowed(found.scenario, options)
    place = decide(options)
    servers = place.servers
    broken, fixed = found.deployment("broken"), _fixed(found, options)
    _check_elsewhere(options, broken, fixed)
    rules, sources = rules_of(found, options)
    scenario = found.scenario
    if options.users is not None:
        scenario = replace(scenario, load=replace(scenario.load, users=options.users))
    if options.shape is not None:
        scenario = replace(scenario, load=replace(scenario.load, shape=options.shape))
    promtool = servers.promtool
    check_rules(promtool, rules, sources)
    scrapes = min_scrapes(servers.prometheus)
    check_speed(rules, sources, options.speed, scrapes)
    check_figures(scenario, options.speed, scrapes)
    rules_speed = 1.0 if scenario.patient.production_time else options.speed
    for deployed in (broken, fixed):
        check_deployment(promtool, deployed, options.speed, scrapes, rules_speed=rules_speed)
    names = names_for(found, options, fixed)
    fixed = replace(fixed, names=names) if options.fix else fixed
    header = replace(_header(scenario, options, place, rules), names=names.every)
    return Plan(found, scenario, options, place, rules, broken, fixed, header, names)


def _slowed(scenario: Scenario, options: Options) -> Options:
    """At a scale no faster than the replicas can be scraped. Raises `UsageError` for what a scale does not have."""
    if scenario.replicas is None:
        return options
    if options.control:
        raise UsageError("--scale: nothing grows in a control run; leave --control away")
    return replace(options, speed=min(options.speed, scenario.replicas.top_speed))


def _check_elsewhere(options: Options, *deployments: Deployment) -> None:
    """The live dashboard and client are read from this machine's disk, and viewers ask a Prometheus on its loopback."""
    if not (options.elsewhere and options.elsewhere.open):
        return
    for name, who in (("dashboard.json", "viewers of a dashboard"), ("client.py", "clients of its own")):
        if any(name in deployment.files for deployment in deployments):
            raise UsageError(
                f"--master-bind: this scenario's traffic has {who}, whose workers run here; give 127.0.0.1"
            )


def _fixed(found: Found, options: Options) -> Deployment:
    return deployment.load("fixed", options.fix) if options.fix else found.deployment("fixed")


def rules_of(found: Found, options: Options) -> tuple[dict[str, str], dict[str, Path]]:
    """The rules that detect, by their name in a server's configuration, and the files they come from.

    Raises `RulesError`.
    """
    rules = rule_files(compose_dir() / "prometheus" / "observer-rules", RULES_OF["observer"])
    if options.detect is None:
        files = found.rules()
        rules.update({name: path.read_text(encoding="utf-8") for name, path in files.items()})
        return rules, files
    name = f"{RULES_OF[found.scenario.watcher]}/{YOURS}"
    try:
        with options.detect.open("rb") as file:
            raw = file.read(MAX_RULES + 1)
        rules[name] = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no UTF-8 text"
        raise RulesError(f"{options.detect}: {reason}; give a Prometheus rules file") from error
    if len(raw) > MAX_RULES:
        raise RulesError(f"{options.detect}: more than {MAX_RULES >> 20} MiB; give a Prometheus rules file")
    return rules, {name: options.detect}


MAX_RULES = 4 << 20
"""Bytes of a user's rules file that are read at most."""
YOURS = "yours.yml"
HEARTBEAT = "Watchdog"
"""The alert that fires always; it is no notification."""


def _header(scenario: Scenario, options: Options, place: Place, rules: dict[str, str]) -> Header:
    foreign = options.detect is not None
    theirs = alerts_in({n: t for n, t in rules.items() if n.endswith(f"/{YOURS}")})
    own = theirs if foreign else scenario.alerts
    known = {**rules, **HEALTHY.prometheus_rules()}
    loaded = alerts_in(known)
    watched = tuple(dict.fromkeys(name for name in (*own, *loaded) if name != HEARTBEAT))
    return Header(
        scenario=scenario.name,
        variant=scenario.variant,
        control=options.control,
        runtime=place.name,
        seed=options.seed,
        speed=options.speed,
        strict=options.strict,
        own_alerts=own,
        watched_alerts=watched,
        foreign_rules=foreign,
        pipeline_budget_s=pipeline_budget_s(known, own, HEALTHY.alertmanager_config(), options.speed),
        evaluation_interval_s=SCRAPE.seconds(options.speed),
        versions={
            "lab": __version__,
            "prometheus": ".".join(map(str, place.servers.prometheus.version)),
            "alertmanager": ".".join(map(str, place.servers.alertmanager.version)),
        },
        started_at=time.time(),
        users=scenario.load.users,
        shape=scenario.load.shape,
        scale=options.scale,
    )


def make_run_dir(out: Path, scenario: str) -> Path:
    """A new folder `out/<scenario>/<UTC>`. Raises `UsageError` when it can't be made."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for suffix in ("", *(f"-{n}" for n in range(2, 100))):
        folder = out / scenario / f"{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if folder.is_dir():
                continue
            raise UsageError(f"{folder}: is in the way; give --out another folder") from None
        except OSError as error:
            raise UsageError(f"--out {out}: {error.strerror or error}; give a folder that can be written") from error
        if os.access(folder, os.W_OK):
            return folder.resolve()
    raise UsageError(f"--out {out}: no folder could be made in it")


def copy_scenario(folder: Path, run_dir: Path) -> None:
    """Keep the scenario with its run, which may lie inside the scenario's folder: it is not copied into itself."""
    shutil.copytree(folder, run_dir / "scenario", ignore=shutil.ignore_patterns("__pycache__", run_dir.name))
