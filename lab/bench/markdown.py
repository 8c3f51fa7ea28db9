"""Tables for a pull request, in Markdown. Whatever comes from a file is made harmless first."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lab.bench.compare import Change, Comparison, Direction
from lab.bench.figures import BY_NAME, Figure
from lab.bench.results import Benchmark
from lab.bench.stats import ALPHA, change_interval, summary
from lab.text import one_line

SCALES = ((1e6, "M"), (1e3, "k"))


def measured_table(found: Benchmark) -> str:
    """Median, spread and interval of each figure."""
    rows = []
    for label, name in found.measured():
        figure, s = BY_NAME[name], summary(found.values(label, name))
        interval = f"{number(s.low, figure)} to {number(s.high, figure)}"
        rows.append(
            (code(label), figure.title, str(s.runs), number(s.median, figure), number(s.spread, figure), interval)
        )
    note = "Spread: between the quartiles. Interval: 95 % bootstrap interval of the median."
    return _table(("scenario", "figure", "runs", "median", "spread", "interval"), rows) + f"\n{note}\n"


def comparison_text(found: Comparison) -> str:
    """What is worse and better in full, what is the same folded away; doubts and warnings before it."""
    counts = ", ".join(f"{len(found.of(d))} {d.value}" for d in (Direction.WORSE, Direction.BETTER, Direction.SAME))
    parts = [f"### lab bench: {counts}", *(f"> **Warning:** {_plain(text)}" for text in found.warnings)]
    parts += [f"> **In doubt:** {_plain(text)}" for text in found.doubts]
    if moved := [*found.of(Direction.WORSE), *found.of(Direction.BETTER)]:
        parts.append(_changes(moved))
    if same := found.of(Direction.SAME):
        parts.append(f"<details><summary>{len(same)} same</summary>\n\n{_changes(same)}\n</details>")
    parts.append(
        f"Medians with the number of runs. Change: of the median, with its 95 % bootstrap interval. Worse or better: "
        f"p <= {ALPHA:g} in the exact two-sided rank-sum test (Wilcoxon-Mann-Whitney), after Holm's correction for "
        f"{len(found.changes)} figures, and a change of at least {found.tolerance:.0%}. "
        "Same: no change was shown; the interval says what could hide."
    )
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _changes(changes: Iterable[Change]) -> str:
    rows = []
    for c in changes:
        was, is_ = summary(c.before), summary(c.now)
        word = c.direction.value if c.direction is Direction.SAME else f"**{c.direction.value}**"
        rows.append((
            code(c.label), c.figure.title, f"{number(was.median, c.figure)} ({was.runs})",
            f"{number(is_.median, c.figure)} ({is_.runs})", _change(c), f"{c.p:.2g}", word,
        ))  # fmt: skip
    return _table(("scenario", "figure", "baseline", "now", "change", "p", ""), rows)


def _change(change: Change) -> str:
    found = change_interval(change.before, change.now)
    return _percent(change.relative) + (f" [{_percent(found[0])}, {_percent(found[1])}]" if found else "")


def _percent(value: float) -> str:
    return f"{value:+.0%}" if math.isfinite(value) else "from 0"


def number(value: float, figure: Figure) -> str:
    """A value with its unit, to three digits: "10.4 s", "24.1 ms", "600/s"."""
    unit = figure.unit
    if unit == "s" and abs(value) < 1:
        value, unit = 1000 * value, "ms"
    scale, letter = next(((s, k) for s, k in SCALES if abs(value) >= 10 * s), (1.0, ""))
    value /= scale
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{letter}" + (unit if unit.startswith("/") else f" {unit}")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: str) -> str:
    """Text from outside as code in a cell."""
    return f"`{_plain(text)}`"


def _plain(text: str) -> str:
    return one_line(text).replace("|", "/").replace("`", "'").replace("<", "(").replace(">", ")")
