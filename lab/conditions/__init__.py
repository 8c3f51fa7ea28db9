"""The words a scenario file is written in."""

from lab.conditions.alerts import alert
from lab.conditions.culprit import culprit
from lab.conditions.logs import log
from lab.conditions.panels import agree, panels
from lab.conditions.services import ready, up
from lab.conditions.storm import fatigue, incident, pairs, quiet, quiet_days
from lab.conditions.values import head_series, sampled
from lab.conditions.workload import fresh_samples, queries_still_counted

__all__ = [
    "agree", "alert", "culprit", "fatigue", "fresh_samples", "head_series", "incident", "log", "pairs", "panels",
    "queries_still_counted", "quiet", "quiet_days", "ready", "sampled", "up",
]  # fmt: skip
