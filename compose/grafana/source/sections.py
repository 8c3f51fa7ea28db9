"""A dashboard: rows of panels, side by side as far as they fit, and what all dashboards have in common."""

from __future__ import annotations

import json

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, VariableOption
from panels import GraphPanel

WINDOWS = ("20s", "1m", "5m", "15m")
USUAL = "5m"
"""The window of the alert rules."""
TAG = "lab"
SCHEMA = 39
"""Grafana 10.3's; later ones migrate it, earlier ones would not know a later one."""


class Section:
    """A row, and the panels below it."""

    def __init__(self, title: str, *panels: GraphPanel | dashboard.Panel) -> None:
        self.title = title
        self.panels = panels


def render(uid: str, title: str, description: str, sections: tuple[Section, ...]) -> str:
    """A dashboard as JSON. Panels are numbered in order: the same source gives the same text."""
    found = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .time("now-30m", "now")
        .refresh("5s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(_window())
        .link(_others())
    )
    number = 0
    for section in sections:
        number += 1
        found.with_row(dashboard.Row(section.title).id(number))
        for panel in section.panels:
            number += 1
            found.with_panel(panel.id(number))
    model = found.build()
    model.schema_version = SCHEMA
    return json.dumps(model, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def _window() -> dashboard.CustomVariable:
    choices = [VariableOption(selected=window == USUAL, text=window, value=window) for window in WINDOWS]
    return (
        dashboard.CustomVariable("window")
        .label("Window")
        .description("Of rates and quantiles. The alert rules use 5m; at 15 times the speed that is 20s.")
        .values(",".join(WINDOWS))
        .options(choices)
        .current(VariableOption(selected=True, text=USUAL, value=USUAL))
    )


def _others() -> dashboard.DashboardLink:
    link = dashboard.DashboardLink("The lab").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(False).include_vars(True).keep_time(True)
