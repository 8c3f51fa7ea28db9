"""What the live page is told: charts as of a report, growing; the switches; the status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from lab import signals
from lab.catalog import find, names
from lab.classroom.faults import lacking
from lab.history import Sample
from lab.report.html.charts import SPECS, USED
from lab.scenario import Scenario
from lab.text import clean


@dataclass(frozen=True)
class Offer:
    """A fault that the page has switches for; `needs`: what this stack has not, empty where it fits."""

    name: str
    variant: str
    label: str
    title: str
    needs: str


def offers(stack: Scenario, rules: dict[str, str], unbounded: str) -> list[Offer]:
    """Every fault of the lab, and whether it fits this stack. `unbounded`: why no disk can be bounded here."""
    found = [one.of(variant) for one in map(find, names()) for variant in one.variants]
    made = []
    for one in found:
        wants, needs = one.scenario, lacking(one, stack, rules)
        why = unbounded if wants.storage.size_mib is not None and unbounded else ", ".join(needs)
        made.append(Offer(wants.name, wants.variant, wants.label, wants.title, why))
    return made


@dataclass(frozen=True)
class Column:
    """A line of a chart: the name of its samples, and what it is called."""

    signal: str
    label: str


@dataclass(frozen=True)
class Plotted:
    """A chart of the page."""

    id: str
    title: str
    unit: str
    stepped: bool
    columns: tuple[Column, ...]

    def row(self, sample: Sample) -> list[float | None]:
        """Its values at a moment."""
        return [_value(sample, column.signal) for column in self.columns]

    def to_json(self, samples: Sequence[Sample], zero: float) -> dict[str, Any]:
        """The whole chart; `zero`: Unix time at which its axis begins."""
        rows = [self.row(sample) for sample in samples]
        lines = [list(line) for line in zip(*rows, strict=True)] if rows else [[] for _ in self.columns]
        return {
            "id": self.id, "title": self.title, "unit": self.unit, "stepped": self.stepped,
            "labels": [column.label for column in self.columns],
            "data": [[round(sample.t - zero, 1) for sample in samples], *lines],
        }  # fmt: skip


def plotted(known: Iterable[str]) -> tuple[Plotted, ...]:
    """The charts that have samples, in the order of a report. `known`: names that were answered for."""
    there = set(known)
    if signals.DISK_SIZE_BYTES in there:
        there.add(USED)
    found = []
    for spec in SPECS:
        columns = [Column(name, label) for name, label in spec.names if name in there]
        if spec.prefix:
            fitting = sorted(name for name in there if name.startswith(spec.prefix))
            columns += [Column(name, clean(name.removeprefix(spec.prefix))) for name in fitting]
        if columns:
            found.append(Plotted(spec.id, spec.title, spec.unit, spec.stepped, tuple(columns)))
    return tuple(found)


def _value(sample: Sample, name: str) -> float | None:
    if name == USED:
        used, size = sample.values.get(signals.DISK_USED_BYTES), sample.values.get(signals.DISK_SIZE_BYTES)
        return round(100 * used / size, 2) if used is not None and size else None
    value = sample.values.get(name)
    return float(f"{value:.6g}") if value is not None and isfinite(value) else None
