"""Which fault may be switched how, into which stack."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab.catalog import Found, find
from lab.classroom.faults import Live, Switch, lacking, wanted
from lab.classroom.general import general
from lab.errors import UsageError
from lab.scenario import Scenario, Storage

DISK, MEMORY, QUIET, STORM, PAST = "cardinality", "label_leak", "missing_metrics", "alert_storm", "slow_queries"
RENAMED = f"{QUIET}:metric_renamed"


def live(target: str, what: str = "broken") -> Live:
    return Live(find(target), what, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("now", "target", "switch", "expected"), [
    (None, DISK, "on", True), (None, DISK, "off", False),
    (live(DISK), DISK, "on", False), (live(DISK), DISK, "fix", True), (live(DISK), DISK, "off", True),
    (live(DISK, "fixed"), DISK, "on", True), (live(DISK, "fixed"), DISK, "fix", False),
    (live(DISK, "fixed"), DISK, "off", True), (live(DISK, "fixed"), QUIET, "on", True),
])  # fmt: skip
def test_what_changes_something(now: Live | None, target: str, switch: Switch, expected: bool) -> None:
    assert wanted(now, find(target), switch) is expected


@pytest.mark.parametrize(("now", "target", "switch", "said"), [
    (live(DISK), QUIET, "on", f"{DISK} is on; turn it off first: lab fault {DISK} off"),
    (live(RENAMED), QUIET, "on", f"{RENAMED} is on; turn it off first: lab fault {RENAMED} off"),
    (None, DISK, "fix", f"{DISK} is not on; lab fault {DISK} on"),
    (live(DISK), MEMORY, "fix", f"{MEMORY} is not on; {DISK} is"),
    (live(DISK), MEMORY, "off", f"{MEMORY} is not on; {DISK} is"),
    (live(DISK, "fixed"), MEMORY, "fix", f"{MEMORY} is not on; {DISK} is"),
])  # fmt: skip
def test_what_makes_no_sense_now(now: Live | None, target: str, switch: Switch, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        wanted(now, find(target), switch)
    assert str(refused.value) == said


def test_a_copy_of_a_scenario_is_another_fault(tmp_path: Path) -> None:
    shutil.copytree(find(DISK).folder, tmp_path / DISK)
    with pytest.raises(UsageError, match="is on; turn it off first"):
        wanted(live(DISK), find(str(tmp_path / DISK)), "on")


# What a fault needs


def rules(found: Found) -> dict[str, str]:
    return {name: path.read_text() for name, path in found.rules().items()}


def needs(target: str, stack: Scenario) -> list[str]:
    return lacking(find(target), stack, rules(find(DISK)))


@pytest.mark.parametrize("target", [DISK, MEMORY, QUIET, RENAMED])
def test_the_general_stack_has_what_most_need(target: str) -> None:
    assert needs(target, general()) == []


def test_what_the_general_stack_has_not() -> None:
    assert needs(PAST, general()) == ["a past", "a Prometheus with other flags or timings"]
    assert needs(STORM, general()) == ["a service that behaves otherwise"]


@pytest.mark.parametrize("target", [DISK, MEMORY, QUIET, STORM, PAST])
def test_a_stack_that_was_made_for_it_has_all(target: str) -> None:
    assert needs(target, find(target).scenario) == []


@pytest.mark.parametrize(("target", "stack", "what"), [
    (DISK, replace(general(), storage=Storage()), ["a disk of bounded size"]),
    (MEMORY, replace(general(), memory_mib={}), ["a memory limit of rag"]),
    (QUIET, find(PAST).scenario, ["a Prometheus with other flags or timings"]),
    (QUIET, find(STORM).scenario, []),
    (DISK, find(STORM).scenario, ["a disk of bounded size"]),
])  # fmt: skip
def test_what_another_stack_has_not(target: str, stack: Scenario, what: list[str]) -> None:
    assert needs(target, stack) == what


def test_a_stranger_needs_its_rules(tmp_path: Path) -> None:
    shutil.copytree(find(QUIET).folder, tmp_path / "mine")
    stranger = find(str(tmp_path / "mine"))
    assert lacking(stranger, general(), rules(find(DISK))) == ["its own detection rules"]
    assert lacking(stranger, general(), rules(stranger)) == []


def test_the_general_stack_has_the_tightest_limits() -> None:
    limits = [f.scenario.memory_mib["rag"] for f in map(find, (DISK, MEMORY)) if "rag" in f.scenario.memory_mib]
    assert general().memory_mib == {"rag": min(limits)}
    assert general().storage.size_mib == general().storage.healed_mib == 64
