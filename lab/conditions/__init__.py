"""The words a scenario file is written in."""

from lab.conditions.alerts import alert
from lab.conditions.books import books
from lab.conditions.culprit import culprit
from lab.conditions.deaths import process
from lab.conditions.figures import figure
from lab.conditions.incidents import nobody_told, refused
from lab.conditions.logs import log
from lab.conditions.missing import back, gone
from lab.conditions.panels import agree, panels
from lab.conditions.scrapes import scrapes
from lab.conditions.services import ready, up
from lab.conditions.slope import memory
from lab.conditions.smoke import smoke_test
from lab.conditions.storm import fatigue, incident, pairs, quiet, quiet_days
from lab.conditions.traffic import answers
from lab.conditions.values import head_series, sampled
from lab.conditions.workload import fresh_samples, queries_still_counted, served, still_counted

__all__ = [
    "agree", "alert", "answers", "back", "books", "culprit", "fatigue", "figure", "fresh_samples", "gone",
    "head_series", "incident", "log", "memory", "nobody_told", "pairs", "panels", "process", "queries_still_counted",
    "quiet", "quiet_days", "ready", "refused", "sampled", "scrapes", "served", "smoke_test", "still_counted", "up",
]  # fmt: skip
