"""Figures of a scenario that would mean something else at a speed are refused before the run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_layout import SCENARIOS

from lab.asked import asked, check_figures
from lab.catalog import find
from lab.conditions.figures import figure
from lab.errors import ScenarioError
from lab.install import Binary
from lab.options import Options
from lab.plan import make
from lab.scenario import Check, Load, Scenario

COUNT = "sum(increase(rag_errors_total[5m]))"


def scenario(check: Check) -> Scenario:
    return Scenario(
        name="x", title="", load=Load(), onset=(check,), detected=(), damage=(), recovered=(), alerts=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        (COUNT, "a count over a window meets 30"),
        ("time() - max(backup)", "the age of a time stamp meets 30"),
        ("count_over_time(up[1m])", "5 scrapes and whole seconds"),
        ("sum(rate(x[5m]) by (job)", "does not parse"),
        ("hour()", "clock time"),
        ("max(a) # the comment ends\n- max(a offset 1h)", "a count over a window meets 30"),
    ],
)
def test_a_figure_that_would_shrink_under_its_limit_is_refused_by_name(expr: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        check_figures(scenario(figure("errors", expr).above(30)), 15, 5)
    said = str(caught.value)
    assert said.startswith(f"x: figure 'errors': {' '.join(expr.split())}: ")
    assert words in said and "\n" not in said
    assert "annotations" not in said, "it has none"
    check_figures(scenario(figure("errors", expr).above(30)), 1, 5)


def test_the_remedy_of_a_count_is_no_rate() -> None:
    """A rate of the lab's own traffic grows with the speed."""
    with pytest.raises(ScenarioError, match=r"; write it as a ratio, or run it at speed 1$"):
        check_figures(scenario(figure("errors", COUNT).below(30)), 15, 5)


@pytest.mark.parametrize(
    "check",
    [
        figure("errors", COUNT).above(0),
        figure("errors", "sum(rate(x[5m])) * 300").above(30),
        figure("share", "sum(increase(a[5m])) / sum(increase(b[5m]))").below(0.1),
        figure("level", "scalar(max(a))").above(-1),
    ],
)
def test_one_that_keeps_its_meaning_passes(check: Check) -> None:
    check_figures(scenario(check), 15, 5)


@pytest.mark.parametrize("speed", [15, 20])
@pytest.mark.parametrize("scrapes", [3, 5])
@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_those_of_the_lab_pass(folder: object, scrapes: int, speed: float) -> None:
    for known in find(str(folder)).known.values():
        check_figures(known, speed, scrapes)


def test_a_plan_refuses_it_before_anything_is_started() -> None:
    found = find("cardinality")
    story = found.scenario
    wrong = replace(story, damage=(*story.damage, figure("errors", COUNT).above(30)))
    with pytest.raises(ScenarioError, match="cardinality: figure 'errors'"):
        make(replace(found, scenario=wrong), Options(runtime="native"))


@pytest.mark.parametrize(("version", "window"), [((2, 42, 0), "4s"), ((3, 1, 0), "5s")])
def test_its_windows_hold_as_many_scrapes_as_the_server_needs(
    version: tuple[int, int, int], window: str, tmp_path: object
) -> None:
    class Servers:
        prometheus = Binary("prometheus", tmp_path, version, "", "flag")  # type: ignore[arg-type]

    class Stack:
        servers = Servers()

    check = figure("share", "sum(rate(a[1m]))").above(1)
    (expr,) = asked(scenario(check), Stack(), 15).figures.values()  # type: ignore[arg-type]
    assert expr == f"sum(rate(a[{window}]))"
