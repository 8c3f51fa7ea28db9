"""Time compression of rules and configurations: text in, text out, no server needed.

    durations   Prometheus durations, exact to the millisecond
    tree        PromQL as comparable nodes            printer   and back to text
    windows     how ranges, offsets and steps shrink
    units       what time does to a value             functions, constants, meaning   applied to an expression
    promql      one expression        rules   a rule file        configs   prometheus.yml and alertmanager.yml
    recordings  rules read without the recordings they read
    yamltext    edits that keep every other byte      errors    what is refused, and how it is said

docs/time.md explains it to those who write rules.
"""

from lab.timescale.configs import (
    compress_alertmanager_config,
    compress_prometheus_config,
    longest_scrape_interval,
)
from lab.timescale.durations import Duration
from lab.timescale.errors import InputError, TimescaleError
from lab.timescale.promql import compress_expr
from lab.timescale.rules import MIN_FOR_S, compress_rules, max_speed
from lab.timescale.units import ANNOTATION, Meaning, parse_meanings

__all__ = [
    "ANNOTATION",
    "MIN_FOR_S",
    "Duration",
    "InputError",
    "Meaning",
    "TimescaleError",
    "compress_alertmanager_config",
    "compress_expr",
    "compress_prometheus_config",
    "compress_rules",
    "longest_scrape_interval",
    "max_speed",
    "parse_meanings",
]
