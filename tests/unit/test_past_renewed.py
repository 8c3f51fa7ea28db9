"""A patient over a past takes new rules: freed of its slow queries, it records, and comes back with the record."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab import stack as stacks
from lab.catalog import find
from lab.stack import Stack


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(Stack, "stop", lambda _, name, grace_s=None: found.append(("stop", name, grace_s)))
    monkeypatch.setattr(Stack, "_start", lambda _, spec: found.append(("start", spec)))
    monkeypatch.setattr(Stack, "_patient", lambda _: "prometheus")
    monkeypatch.setattr(Stack, "_write_targets", lambda _: None)
    monkeypatch.setattr(Stack, "wait_ready", lambda _, names: found.append(("ready", *names)))
    monkeypatch.setattr(Stack, "address", lambda _, name: name)
    monkeypatch.setattr(Stack, "_configs", SimpleNamespace(patient=lambda _: Path("/x/prometheus.yml")))
    recorded = SimpleNamespace(record=lambda rules, url, start, end: found.append(("record", rules.name, start, end)))
    monkeypatch.setattr(stacks, "blocks", lambda *_: recorded)
    return found


def renewed(what: str, did: list[Any]) -> list[Any]:
    stack = object.__new__(Stack)
    stack.live = find("slow_queries").deployment(what)  # type: ignore[arg-type]
    stack.past = SimpleNamespace(start=1, end=2)  # type: ignore[assignment]
    stack.runtime = SimpleNamespace(reload=lambda running: did.append(("reload", running)))  # type: ignore[assignment]
    stack.running = {"prometheus": "patient"}  # type: ignore[dict-item]
    stack.servers = SimpleNamespace(promtool=None)  # type: ignore[assignment]
    stack._storage, stack._over = None, None  # type: ignore[assignment]
    stack._renew_rules()
    return did


def test_it_is_not_waited_for_while_it_computes_and_records_when_it_is_free(did: list[Any]) -> None:
    restarted = [("stop", "prometheus", 0.0), ("start", "prometheus"), ("ready", "prometheus")]
    assert renewed("fixed", did) == [*restarted, ("record", "deployed.yml", 1, 2), *restarted]


def test_without_rules_of_its_own_it_is_asked_to_read_them_anew(did: list[Any]) -> None:
    assert renewed("broken", did) == [("reload", "patient")]
