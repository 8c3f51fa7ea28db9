"""What the dashboards are made of: queries, thresholds, and a few kinds of panels, in Grafana's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TypeVar

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode, ValueMap, ValueMappingResult

PATIENT = DataSourceRef("prometheus", "prometheus")
"""The Prometheus that a team runs; uids as in ../provisioning/datasources/."""
OBSERVER = DataSourceRef("prometheus", "observer")
"""The small one that watches it."""
MIXED = DataSourceRef("datasource", "-- Mixed --")
"""Grafana's name for a panel whose queries say each for itself whom they ask."""

GREEN, YELLOW, RED, NONE = "green", "yellow", "red", "transparent"

GraphPanel = timeseries.Panel | stat.Panel | statetimeline.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, statetimeline.Panel)


@dataclass(frozen=True)
class Query:
    """A PromQL expression, how its series are named, and whom it asks."""

    expr: str
    legend: str
    source: DataSourceRef = PATIENT


@dataclass(frozen=True)
class Steps:
    """Colours by value: `base` below the first step, then each from its value on."""

    base: str
    above: tuple[tuple[float, str], ...] = ()

    def build(self) -> dashboard.ThresholdsConfig:
        """For the SDK."""
        steps = [Threshold(None, self.base), *(Threshold(value, color) for value, color in self.above)]
        return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def graph(
    title: str, description: str, unit: str, *queries: Query, steps: Steps | None = None, top: float | None = None,
    width: int = 12,
) -> timeseries.Panel:  # fmt: skip
    """Lines over time, from zero (to `top`). Gaps stay gaps: that data are missing is news, too."""
    panel = (
        timeseries.Panel()
        .height(8)
        .min(0)
        .fill_opacity(8)
        .span_nulls(False)
        .show_points(common.VisibilityMode.NEVER)
        .legend(
            options.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(options.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
    )
    if top is not None:
        panel.max(top)
    if steps is not None:
        style = options.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED_AND_AREA)
        panel.thresholds(steps.build()).thresholds_style(style)
    return _ask(_headed(panel, title, description, unit, width), queries)


def number(
    title: str, description: str, unit: str, *queries: Query, steps: Steps, silent: str = "no data", width: int = 4
) -> stat.Panel:
    """The value of this moment. Asked for as an instant: the last of a range would outlive what it is about."""
    panel = (
        stat.Panel()
        .height(4)
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps.build())
        .no_value(silent)
    )
    return _ask(_headed(panel, title, description, unit, width), queries, instant=True)


def states(title: str, description: str, *queries: Query, of: ValueMap, width: int = 12) -> statetimeline.Panel:
    """A bar for each series, coloured by its value."""
    panel = (
        statetimeline.Panel()
        .height(8)
        .show_value(common.VisibilityMode.NEVER)
        .mappings([of])
        .thresholds(Steps(RED).build())
        .no_value("none")
    )
    return _ask(_headed(panel, title, description, "none", width), queries)


def mapping(**meaning: tuple[str, str]) -> ValueMap:
    """What values mean: `_1=("up", GREEN)`."""
    return ValueMap({value.lstrip("_"): ValueMappingResult(text, color) for value, (text, color) in meaning.items()})


def alert_list(title: str, description: str, *, source_name: str = "", width: int = 12) -> dashboard.Panel:
    """What fires and what is pending, of one data source by its name or of all; the dead man's switch is left out."""
    return (
        dashboard.Panel()
        .type("alertlist")
        .title(title)
        .description(description)
        .span(width)
        .height(8)
        .options(
            {
                "viewMode": "list",
                "groupMode": "default",
                "groupBy": [],
                "maxItems": 20,
                "sortOrder": 3,  # by importance
                "dashboardAlerts": False,  # not only Grafana's own alerts that belong to a dashboard
                "alertName": "",
                "alertInstanceLabelFilter": '{alertname!="Watchdog"}',
                "datasource": source_name,
                "showInstances": True,
                "showInactiveAlerts": False,
                "stateFilter": {
                    "firing": True, "pending": True, "recovering": True,
                    "noData": False, "normal": False, "error": True,
                },
            }
        )
    )  # fmt: skip


def _headed(panel: P, title: str, description: str, unit: str, width: int) -> P:
    panel.title(title).description(description).unit(unit).span(width)
    return panel


def _ask(panel: P, queries: tuple[Query, ...], *, instant: bool = False) -> P:
    sources = {query.source.uid: query.source for query in queries}
    panel.datasource(next(iter(sources.values())) if len(sources) == 1 else MIXED)
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).datasource(query.source)
        panel.with_target((target.instant() if instant else target.range()).ref_id(letter))
    return panel
