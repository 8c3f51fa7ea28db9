"""What is kept of a metrics page while it streams by: families, and the distinct values of each label."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.lint.exposition import ExpositionError, Names, read

MAX_FAMILIES = 20_000
MAX_LABELS = 64
"""Labels of a sample."""
MAX_VALUES = 10_000
"""Distinct values of one label that are told apart; there are `MAX_VALUES` or more then."""
LONG = 200
"""Bytes of a value that are kept; of a longer one a digest takes the rest's place."""
BOUNDED_BY_NATURE = frozenset((b"le", b"quantile"))
"""Labels of the format itself: as many values as the declaration has buckets."""


@dataclass
class Family:
    """A metric with all it consists of (a histogram's buckets, sum and count), its series and its labels' values."""

    name: str
    type: str = "untyped"
    series: int = 0
    labels: dict[str, set[bytes]] = field(default_factory=dict)

    @property
    def samples(self) -> str:
        """A regular expression for the names of its samples, as relabelling wants it."""
        parts = {"histogram": "_(bucket|sum|count)", "summary": "(_sum|_count)?"}
        return re.escape(self.name) + parts.get(self.type, "")


@dataclass
class Page:
    """A whole page."""

    families: dict[str, Family] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    """Names of samples, as PromQL knows them."""
    series: int = 0
    _parts: dict[bytes, str] = field(default_factory=dict)
    """Names of a histogram's or a summary's samples -> the family."""
    _known: dict[Names, tuple[Family, tuple[set[bytes] | None, ...]]] = field(default_factory=dict)

    def take_type(self, name: bytes, kind: bytes) -> None:
        """A family's type, which comes before its samples."""
        family = self._family(name.decode())
        family.type = kind.decode()
        if kind in (b"histogram", b"summary"):
            for suffix in (b"_bucket", b"_sum", b"_count"):
                self._parts[name + suffix] = family.name

    def take(self, names: Names, values: list[bytes]) -> None:
        """One sample."""
        known = self._known.get(names)
        family, seen = known if known is not None else self._meet(names)
        family.series += 1
        for kept, value in zip(seen, values, strict=True):
            if kept is not None and len(kept) < MAX_VALUES:
                kept.add(value if len(value) <= LONG else _short(value))

    def _meet(self, names: Names) -> tuple[Family, tuple[set[bytes] | None, ...]]:
        metric, labels = names
        if len(labels) > MAX_LABELS:
            raise ExpositionError(f"{metric.decode()}: {len(labels)} labels; over {MAX_LABELS} are no metrics page")
        if b"le" in labels and metric.endswith(b"_bucket") and metric not in self._parts:
            self.take_type(metric.removesuffix(b"_bucket"), b"histogram")  # a page without types
        family = self._family(self._parts.get(metric, metric.decode()))
        self.metrics.add(metric.decode())
        seen = tuple(
            None if label in BOUNDED_BY_NATURE else family.labels.setdefault(label.decode(), set()) for label in labels
        )
        if len(self._known) > MAX_FAMILIES:  # many sets of labels: forget, and meet them again
            self._known.clear()
        self._known[names] = (family, seen)
        return family, seen

    def _family(self, name: str) -> Family:
        family = self.families.get(name)
        if family is None:
            if len(self.families) >= MAX_FAMILIES:
                raise ExpositionError(f"over {MAX_FAMILIES:,} metrics: no metrics page")
            family = self.families[name] = Family(name)
        if len(family.labels) > MAX_LABELS:
            raise ExpositionError(f"{name}: over {MAX_LABELS} label names: no metrics page")
        return family


def _short(value: bytes) -> bytes:
    return value[:LONG] + b"..." + hashlib.blake2b(value, digest_size=8).hexdigest().encode()


def survey(chunks: Iterable[bytes]) -> Page:
    """Read a page. Raises `ExpositionError` when it is none."""
    page = Page()
    page.series = read(chunks, page.take, page.take_type)
    if not page.series:
        raise ExpositionError("no samples: not a metrics page")
    return page
