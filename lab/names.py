"""Names of a learner's own metrics and jobs, as `--map OURS=YOURS` gives them.

What is theirs is read under our names (`lab.translation`): rules and dashboards before a server has them, series as
they are scraped. Checks, rules and samples of the lab know nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from lab.errors import UsageError

SUFFIXES = ("_bucket", "_sum", "_count")
"""What a histogram's name is followed by in the names of its series."""
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
JOB = re.compile(r"[^\s=\"'\\,|]{1,128}")
OPTION = "--map"


@dataclass(frozen=True)
class Names:
    """Ours to theirs, of metrics (a histogram by its own name) and of jobs."""

    metrics: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.jobs)

    @property
    def every(self) -> dict[str, str]:
        """Ours to theirs, in one: no metric has the name of a job."""
        return {**self.metrics, **self.jobs}

    def series(self, theirs: str) -> str:
        """Our name of a series of theirs; the same where it has none."""
        return self.by_series().get(theirs, theirs)

    def job(self, theirs: str) -> str:
        """Our name of a job of theirs; the same where it has none."""
        return {yours: ours for ours, yours in self.jobs.items()}.get(theirs, theirs)

    def by_series(self) -> dict[str, str]:
        """Theirs to ours, of each series that a metric may have."""
        pairs = [(yours, ours) for ours, yours in self.metrics.items()]
        return {f"{yours}{end}": f"{ours}{end}" for yours, ours in pairs for end in ("", *SUFFIXES)}

    def said_in(self, text: str) -> Names:
        """Those of the metrics whose name is in a text (a counter's also without `_total`, as code declares it)."""
        return replace(self, metrics={o: y for o, y in self.metrics.items() if mentions(text, y)}, jobs={})


NO_NAMES = Names()


def mentions(text: str, name: str) -> bool:
    """Whether a text has a name, as a word: of a metric, of one of its series, or of a job."""
    stem = re.escape(name.removesuffix("_total"))
    ends = "|".join(("_total", *SUFFIXES)) if name.endswith("_total") else "|".join(SUFFIXES)
    wanted = rf"(?<![\w:]){stem}(?:{ends})?(?![\w:])"
    return re.search(wanted, text) is not None


def names_of(given: Iterable[str], metrics: Collection[str], jobs: Collection[str]) -> Names:
    """The pairs `OURS=YOURS`. Raises `UsageError` for one that can't be, and says which names there are."""
    found: dict[str, str] = {}
    for pair in given:
        ours, equals, yours = pair.partition("=")
        if not equals or not ours or not yours:
            raise UsageError(f"{OPTION} {pair}: give OURS=YOURS, such as rag_queries_total=my_queries_total")
        if ours not in metrics and ours not in jobs:
            known = _there_is(ours, metrics, jobs)
            raise UsageError(f"{OPTION} {pair}: {ours} is no metric or job of the lab's; {known}")
        if ours in found:
            raise UsageError(f"{OPTION} {pair}: {ours} was already given as {found[ours]}; give it once")
        if taken := next((o for o, y in found.items() if y == yours), None):
            raise UsageError(f"{OPTION} {pair}: {yours} already stands for {taken}; a name stands for one")
        if yours in metrics or yours in jobs:
            raise UsageError(f"{OPTION} {pair}: {yours} is a name of the lab's own, which it keeps; rename yours")
        _check_theirs(pair, ours, yours, is_job=ours in jobs)
        found[ours] = yours
    return Names({o: y for o, y in found.items() if o in metrics}, {o: y for o, y in found.items() if o in jobs})


def _check_theirs(pair: str, ours: str, yours: str, *, is_job: bool) -> None:
    if not (JOB if is_job else METRIC).fullmatch(yours):
        raise UsageError(f"{OPTION} {pair}: {yours!r} can not be the name of a {'job' if is_job else 'metric'}")
    if not is_job and ours.endswith("_total") != yours.endswith("_total"):
        which = ours if ours.endswith("_total") else yours
        raise UsageError(f"{OPTION} {pair}: {which} is a counter and the other is none; a counter ends in _total")


def _there_is(name: str, metrics: Collection[str], jobs: Collection[str]) -> str:
    if near := get_close_matches(name, [*metrics, *jobs], 1, 0.6):
        return f"there is {near[0]}"
    return f"jobs are {', '.join(sorted(jobs))}; its metrics begin with rag, such as rag_queries_total"


def check_used(names: Names, answer: Mapping[str, str]) -> None:
    """Whether each name of theirs is in one of the answer's files (name -> text). Raises `UsageError`."""
    for ours, yours in names.every.items():
        if not any(mentions(text, yours) for text in answer.values()):
            words = {word for text in answer.values() for word in METRIC.findall(text)}
            near = get_close_matches(yours, sorted(words), 1, 0.8)
            hint = f"there is {near[0]}" if near else "give the name as it is written there"
            raise UsageError(f"{OPTION} {ours}={yours}: {yours} is in none of {', '.join(answer)}; {hint}")
