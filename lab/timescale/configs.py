"""Compresses the time in the configuration files of Prometheus and Alertmanager."""

from __future__ import annotations

from yaml.nodes import Node

from lab.timescale.durations import Duration, check_speed
from lab.timescale.errors import InputError, TimescaleError
from lab.timescale.yamltext import YamlText, is_null, line_of

# The servers' own defaults apply to what a file leaves out, and they too must be compressed
# (prometheus/config DefaultGlobalConfig, alertmanager/dispatch DefaultRouteOpts).
_PROMETHEUS_DEFAULT = Duration(60_000)
_ROUTE_DEFAULTS = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
_MAX_ROUTE_DEPTH = 50


def compress_prometheus_config(text: str, speed: float, *, filename: str = "prometheus.yml") -> str:
    """The configuration with scrape and evaluation intervals and `rule_query_offset` `speed` times shorter.

    Each scrape timeout becomes the scrape interval: an exposition costs wall time, whatever the speed. Intervals
    left to the server's default are written in. Discovery, remote write and storage settings stay in wall time.

    Raises TimescaleError for `scrape_config_files`, whose intervals this function cannot see; InputError for bad YAML.
    """
    doc = YamlText(text, filename)
    if check_speed(speed) == 1:
        return text
    if doc.root is None:
        short = _PROMETHEUS_DEFAULT.compressed(speed)
        return f"global: {{scrape_interval: {short}, scrape_timeout: {short}, evaluation_interval: {short}}}\n{text}"
    root = _settings(doc, doc.root, "the configuration")
    if "scrape_config_files" in root:
        raise TimescaleError(
            "names files whose intervals would not be compressed",
            construct="scrape_config_files",
            remedy="write the scrape configurations into this file",
            filename=filename,
            line=line_of(root["scrape_config_files"]),
        )
    default = _compress_global(doc, speed)
    for job in doc.items(root.get("scrape_configs"), "scrape_configs"):
        settings = _settings(doc, job, "a scrape configuration")
        if "scrape_interval" in settings or "scrape_timeout" in settings:
            interval = _compressed(doc, settings, "scrape_interval", speed, default)
            _put(doc, job, settings, "scrape_interval", interval)
            _put(doc, job, settings, "scrape_timeout", interval)
    return doc.result()


def longest_scrape_interval(text: str, *, filename: str = "prometheus.yml") -> Duration:
    """The longest scrape interval in use: what `scrape_interval_s` of `compress_rules` must cover."""
    doc = YamlText(text, filename)
    root = {} if doc.root is None else _settings(doc, doc.root, "the configuration")
    shared = _settings(doc, root["global"], "global") if "global" in root else {}
    default = _compressed(doc, shared, "scrape_interval", 1, _PROMETHEUS_DEFAULT)
    jobs = doc.items(root.get("scrape_configs"), "scrape_configs")
    settings = [_settings(doc, job, "a scrape configuration") for job in jobs]
    return max((_compressed(doc, s, "scrape_interval", 1, default) for s in settings), default=default)


def compress_alertmanager_config(text: str, speed: float, *, filename: str = "alertmanager.yml") -> str:
    """The configuration with group_wait, group_interval and repeat_interval of every route `speed` times shorter.

    The three defaults are written into the root route where it leaves them out. Raises TimescaleError for a route that
    mutes or activates by the clock; InputError for bad YAML or a file without a route.
    """
    doc = YamlText(text, filename)
    if check_speed(speed) == 1:
        return text
    root = {} if doc.root is None else _settings(doc, doc.root, "the configuration")
    if "route" not in root:
        raise InputError("no Alertmanager configuration: it has no `route`", filename=filename)
    route = _settings(doc, root["route"], "route")
    for key in reversed(_ROUTE_DEFAULTS):
        if key not in route:
            short = Duration.parse(_ROUTE_DEFAULTS[key]).compressed(speed)
            _put(doc, root["route"], route, key, short)
    _compress_route(doc, root["route"], speed, 0)
    return doc.result()


def _compress_global(doc: YamlText, speed: float) -> Duration:
    """Compress the global section, making one if need be; return the compressed scrape interval."""
    assert doc.root is not None
    root = _settings(doc, doc.root, "the configuration", keep_null=True)
    node = root.get("global")
    settings = {} if node is None else _settings(doc, node, "global")
    scrape = _compressed(doc, settings, "scrape_interval", speed, _PROMETHEUS_DEFAULT.compressed(speed))
    evaluation = _compressed(doc, settings, "evaluation_interval", speed, _PROMETHEUS_DEFAULT.compressed(speed))
    wanted = {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": evaluation}
    if node is None or is_null(node):
        section = "{" + ", ".join(f"{key}: {value}" for key, value in wanted.items()) + "}"
        if node is None:
            doc.insert(doc.root, "global", section)
        else:
            doc.replace(node, section)
        return scrape
    for key, value in wanted.items():
        _put(doc, node, settings, key, value)
    if "rule_query_offset" in settings:
        offset = _compressed(doc, settings, "rule_query_offset", speed, scrape)
        doc.replace(settings["rule_query_offset"], str(offset))
    return scrape


def _compress_route(doc: YamlText, node: Node, speed: float, depth: int) -> None:
    route = _settings(doc, node, "a route")
    if depth > _MAX_ROUTE_DEPTH:
        raise doc.error(node, "routes are nested too deeply")
    for key in ("mute_time_intervals", "active_time_intervals"):
        if key in route and doc.items(route[key], key):
            raise TimescaleError(
                "mutes by clock and calendar, which compression cannot stretch",
                construct=key,
                remedy="leave the time intervals out for the run, or use speed 1",
                rule="route to " + (doc.scalar(route["receiver"], "receiver") if "receiver" in route else "its parent"),
                filename=doc.filename,
                line=line_of(route[key]),
            )
    for key in _ROUTE_DEFAULTS:
        if key in route:
            doc.replace(route[key], str(_compressed(doc, route, key, speed, Duration(0))))
    for child in doc.items(route.get("routes"), "routes"):
        _compress_route(doc, child, speed, depth + 1)


def _settings(doc: YamlText, node: Node, what: str, *, keep_null: bool = False) -> dict[str, Node]:
    """A mapping's entries; an empty value counts as absent, as it does for the servers."""
    return {key: value for key, value in doc.entries(node, what).items() if keep_null or not is_null(value)}


def _compressed(doc: YamlText, settings: dict[str, Node], key: str, speed: float, absent: Duration) -> Duration:
    if key not in settings:
        return absent
    span = doc.duration(settings[key], key)
    return span.compressed(speed) if span.milliseconds or key in _ROUTE_DEFAULTS else absent


def _put(doc: YamlText, mapping: Node, settings: dict[str, Node], key: str, value: Duration) -> None:
    if key in settings:
        doc.replace(settings[key], str(value))
    else:
        doc.insert(mapping, key, str(value))
