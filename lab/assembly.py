"""What a run is made of, as far as its scenario's checks look at it: what is asked, what is done at its moment."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lab.asked import asked
from lab.conditions.books import Booked
from lab.conditions.culprit import Named
from lab.conditions.logs import Seen
from lab.conditions.missing import Back
from lab.conditions.panels import Agree
from lab.conditions.smoke import SmokeTest
from lab.conditions.workload import StillCounted
from lab.errors import StartError
from lab.events import Skipped
from lab.gaps import Gaps
from lab.journal import Journal
from lab.load import Traffic
from lab.logs import LogWatch
from lab.plan import Plan
from lab.questions import Questions
from lab.runtime.protocol import Runtime, VolumeSpec
from lab.sampler import Sampler
from lab.scenario import BOUNDED_VOLUME, Scenario, Storage
from lab.signals import QUERIES
from lab.smoketest import SmokeTests
from lab.stack import PATIENT_DATA, Stack


def bounded(scenario: Scenario, runtime: Runtime, journal: Journal) -> Scenario:
    """The scenario as this machine can run it: without a bounded volume the checks that need one are skipped."""
    if scenario.storage.size_mib is None:
        return scenario
    try:
        runtime.data_dir(VolumeSpec(PATIENT_DATA, scenario.storage.size_mib))
    except StartError as error:
        journal.record(Skipped(time.time(), BOUNDED_VOLUME, str(error)))
        return replace(scenario, storage=Storage(size_mib=None))
    return scenario


def questions(scenario: Scenario, stack: Stack, journal: Journal) -> Questions:
    """What must agree, asked of the servers."""
    return Questions(tuple(q for agree in scenario.conditions(Agree) for q in agree.asks()), stack, journal)


def smoke_tests(plan: Plan, stack: Stack, journal: Journal) -> SmokeTests:
    """The smoke tests of what is deployed."""
    required = dict.fromkeys(name for test in plan.scenario.conditions(SmokeTest) for name in test.require)
    return SmokeTests(tuple(required), stack, journal, plan.fixed.exposed)


def gaps(scenario: Scenario, stack: Stack, journal: Journal) -> Gaps:
    """What is missing from the patient's history."""
    return Gaps(bool(scenario.conditions(Back)), stack, journal)


def sampler(plan: Plan, stack: Stack, traffic: Traffic, journal: Journal, run_dir: Path, closing: ExitStack) -> Sampler:
    """What is asked once a second."""
    scenario, header = plan.scenario, plan.header
    logs = LogWatch(run_dir, [seen.wants() for seen in scenario.conditions(Seen)])
    counted = [c.metric for c in scenario.conditions(StillCounted)]
    counted += [c.metric for c in scenario.conditions(Booked)]
    counters = tuple(metric for metric in counted if metric != QUERIES)
    asks_too = asked(scenario, stack, header.speed)
    closing.callback(asks_too.close)
    return Sampler(
        stack, traffic, journal, logs, header.own_alerts, bool(scenario.conditions(Named)), counters, asks_too.probes()
    )
