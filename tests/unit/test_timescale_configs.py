import pytest
import yaml

from lab.timescale import (
    InputError,
    TimescaleError,
    compress_alertmanager_config,
    compress_prometheus_config,
    longest_scrape_interval,
)

PROMETHEUS = """\
global:
  scrape_interval: 15s
  scrape_timeout: 10s # of the interval
  evaluation_interval: 30s
  rule_query_offset: 1m
  external_labels: {on: yes}
rule_files: [rules.yml]
scrape_configs:
  - job_name: rag
    static_configs: [{targets: ['127.0.0.1:8000']}]
  - job_name: slow
    scrape_interval: 1m
    file_sd_configs: [{files: [x.yml], refresh_interval: 5m}]
  - job_name: patient
    scrape_timeout: 5s
"""


def test_scrape_and_evaluation_intervals_shrink_and_the_timeout_is_the_interval() -> None:
    out = compress_prometheus_config(PROMETHEUS, 15)
    assert (
        out
        == """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s # of the interval
  evaluation_interval: 2s
  rule_query_offset: 4s
  external_labels: {on: yes}
rule_files: [rules.yml]
scrape_configs:
  - job_name: rag
    static_configs: [{targets: ['127.0.0.1:8000']}]
  - scrape_timeout: 4s
    job_name: slow
    scrape_interval: 4s
    file_sd_configs: [{files: [x.yml], refresh_interval: 5m}]
  - scrape_interval: 1s
    job_name: patient
    scrape_timeout: 1s
"""
    )


DEFAULTS = {"scrape_interval": "4s", "scrape_timeout": "4s", "evaluation_interval": "4s"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# empty\n",
        "---\n",
        "{}\n",
        "global:\n",
        "global: {}\n",
        "global: null\n",
        "global: {scrape_timeout: 3s}\n",
        "global: {scrape_interval: 0s}\n",
        "global:\n  scrape_timeout: 3s\n",
        "---\nscrape_configs: []\n",
        "{scrape_configs: []}\n",
    ],
)
def test_defaults_of_the_server_are_compressed_too(text: str) -> None:
    assert yaml.safe_load(compress_prometheus_config(text, 15))["global"] == DEFAULTS


def test_at_speed_one_both_files_come_back_as_they_are() -> None:
    assert compress_prometheus_config(PROMETHEUS, 1) == PROMETHEUS
    clock = "route: {mute_time_intervals: [night]}\n"
    assert compress_alertmanager_config(clock, 1) == clock


def test_the_longest_scrape_interval_in_use() -> None:
    assert str(longest_scrape_interval(PROMETHEUS)) == "1m"
    assert str(longest_scrape_interval("global: {scrape_interval: 20s}")) == "20s"
    assert str(longest_scrape_interval("")) == "1m"
    only_job = "global: {scrape_interval: 1h}\nscrape_configs: [{job_name: a, scrape_interval: 5s}]\n"
    assert str(longest_scrape_interval(only_job)) == "5s"


def test_files_that_cannot_be_seen_are_refused() -> None:
    with pytest.raises(TimescaleError) as caught:
        compress_prometheus_config("a: 1\nscrape_config_files: [x.yml]\n", 15, filename="p.yml")
    assert str(caught.value).startswith("p.yml:2: scrape_config_files: ") and caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("global: [", "p.yml:1: not valid YAML"),
        ("global:\n  scrape_interval: x\n", "p.yml:2: scrape_interval: 'x': not a Prometheus duration"),
        ("global: [1]\n", "p.yml:1: global must be a mapping"),
        ("scrape_configs: 1\n", "p.yml:1: scrape_configs must be a list"),
        ("scrape_configs:\n- {scrape_interval: [1s]}\n", "p.yml:2: scrape_interval must be a single value"),
        ("5\n", "p.yml:1: the configuration must be a mapping"),
    ],
)
def test_an_unusable_prometheus_config_is_one_line(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        compress_prometheus_config(text, 15, filename="p.yml")
    assert str(caught.value).startswith(words)


ALERTMANAGER = """\
global: {resolve_timeout: 5m}
route:
  receiver: lab
  group_wait: 30s
  group_by: ['...']
  routes:
    - receiver: pager
      group_wait: 0s
      group_interval: 1m
      mute_time_intervals: []
      routes: [{receiver: heart, repeat_interval: 1h}]
    - {matchers: ['a="b"'], group_wait: 10s} # quick
receivers: [{name: lab}]
"""


def test_every_route_shrinks_and_the_defaults_of_the_root_are_written_in() -> None:
    assert (
        compress_alertmanager_config(ALERTMANAGER, 15)
        == """\
global: {resolve_timeout: 5m}
route:
  group_interval: 20s
  repeat_interval: 16m
  receiver: lab
  group_wait: 2s
  group_by: ['...']
  routes:
    - receiver: pager
      group_wait: 0s
      group_interval: 4s
      mute_time_intervals: []
      routes: [{receiver: heart, repeat_interval: 4m}]
    - {matchers: ['a="b"'], group_wait: 667ms} # quick
receivers: [{name: lab}]
"""
    )


@pytest.mark.parametrize("key", ["mute_time_intervals", "active_time_intervals"])
def test_routes_by_the_clock_are_refused_by_name(key: str) -> None:
    text = f"route:\n  routes:\n  - receiver: night\n    {key}: [weekend]\n"
    with pytest.raises(TimescaleError) as caught:
        compress_alertmanager_config(text, 15, filename="am.yml")
    assert str(caught.value).startswith(f"am.yml:4: rule route to night: {key}: ")
    assert caught.value.remedy and not isinstance(caught.value, InputError)


def test_a_route_without_a_receiver_is_named_after_its_parent() -> None:
    with pytest.raises(TimescaleError, match="rule route to its parent: mute_time_intervals"):
        compress_alertmanager_config("route: {mute_time_intervals: [night]}\n", 15)


def test_unused_time_intervals_do_no_harm() -> None:
    assert compress_alertmanager_config("time_intervals: [{name: n}]\nroute: {receiver: a}\n", 15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("receivers: []\n", "am.yml: no Alertmanager configuration"),
        ("", "am.yml: no Alertmanager configuration"),
        ("route:\n  group_wait: 1\n", "am.yml:2: group_wait: '1': not a Prometheus duration"),
        ("route: &r {receiver: a, routes: [*r]}\n", "am.yml:1: routes are nested too deeply"),
        ("route: {\n", "am.yml:2: not valid YAML"),
    ],
)
def test_an_unusable_alertmanager_config_is_one_line(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        compress_alertmanager_config(text, 15, filename="am.yml")
    assert str(caught.value).startswith(words)
