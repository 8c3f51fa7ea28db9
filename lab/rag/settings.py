"""How the service is configured: one flag each, or the environment variable RAG_<FLAG>; the flag wins."""

# ruff: noqa: RUF009  (each default is a dataclasses.field)

import argparse
import dataclasses
import ipaddress
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.rag import SERVICE
from lab.rag.errors import ConfigError

ENV_PREFIX = "RAG_"


def _option(default: Any, help: str, *, at_least: float = 0, at_most: float = math.inf) -> Any:
    limits = {"help": help, "at_least": at_least, "at_most": at_most}
    return dataclasses.field(default=default, metadata=limits)


@dataclass(frozen=True, slots=True)
class Settings:
    """All options, checked. Times are in the unit that the name ends with."""

    host: str = _option("127.0.0.1", "address of the API")
    also_host: str = _option("", "a second address of the API, at the same port; none when empty")
    port: int = _option(8000, "port of the API", at_most=65535)
    metrics_host: str = _option("", "address of the metrics; that of the API when empty")
    metrics_port: int = _option(8001, "port of the metrics", at_most=65535)
    metrics: Path | None = _option(None, "module that replaces lab/rag/metrics.py, in part or as a whole")
    log_file: Path | None = _option(None, "file for the structured log; stdout when absent")
    stats_interval_s: float = _option(60.0, "seconds between the log's summary lines", at_least=0.1)
    service: str = _option(SERVICE, "name in the log and in rag_service_info")
    environment: str = _option("lab", "environment in the log")
    seed: int = _option(0, "seed of latency, tokens, errors and quality", at_least=-math.inf)

    corpus: Path | None = _option(None, "documents as JSON lines; the ones shipped when absent")
    embedder: str = _option("hashing", "hashing, or sentence-transformers (extra `embeddings`)")
    top_k: int = _option(4, "documents a query gets unless it says otherwise", at_least=1, at_most=20)
    cache_ttl_s: float = _option(300.0, "seconds for which an answer is reused", at_least=0.01)
    cache_entries: int = _option(1000, "answers kept in the process's own cache", at_least=1)
    redis_url: str = _option("", "Redis for the cache and the costs; in-process when empty")

    llm_latency_ms: float = _option(5.0, "level of the model's latency")
    llm_jitter: float = _option(0.05, "standard deviation of each call's latency, as a share", at_most=1)
    llm_swing_ms: float = _option(0.0, "amplitude of a slow sine around the level")
    llm_swing_period_s: float = _option(10.0, "period of that sine", at_least=0.1)
    llm_noise_ms: float = _option(0.0, "standard deviation of a slow random drift (Ornstein-Uhlenbeck)")
    llm_noise_tau_s: float = _option(4.0, "time in which the drift forgets itself", at_least=0.01)
    llm_min_ms: float = _option(0.0, "no call is faster")
    llm_max_ms: float = _option(60_000.0, "no call is slower")
    llm_error_rate: float = _option(0.0, "share of model calls that fail", at_most=1)
    llm_concurrency: int = _option(256, "model calls at a time; more wait in the queue", at_least=1)
    llm_prompt_tokens: int = _option(180, "tokens of the instructions that go with every query", at_most=100_000)
    llm_quality: float = _option(0.88, "mean quality of the model's answers", at_most=1)
    quota_per_minute: int = _option(250_000, "the provider's calls in a window (scaled, see docs/service.md)")
    quota_window_s: float = _option(60.0, "length of that window", at_least=0.1)
    cost_scale: float = _option(0.001, "factor on all prices (see docs/service.md)", at_most=1000)

    ready_timeout_ms: float = _option(500.0, "deadline of each dependency check of /ready", at_least=1)
    admin_token: str = _option("", "token of the admin switches; they are off when empty")
    admin_networks: str = _option("127.0.0.0/8,::1/128", "networks that may use the admin switches")


def parse(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from flags and environment. Raises ConfigError; `--help` exits 0, an unknown flag exits 2."""
    environ = os.environ if environ is None else environ
    flags = _parser().parse_args(argv)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        text = getattr(flags, field.name)
        origin = _flag(field.name)
        if text is None:
            origin = ENV_PREFIX + field.name.upper()
            text = environ.get(origin)
        if text is not None:
            values[field.name] = _convert(field, origin, text)
    settings = Settings(**values)
    _check_together(settings)
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab.rag",
        description="A mock RAG service with metrics, structured log, costs and probes.",
        epilog=f"Each option can also be set as an environment variable, e.g. {ENV_PREFIX}PORT; the flag wins.",
        allow_abbrev=False,
    )
    for field in dataclasses.fields(Settings):
        default = "" if field.default in (None, "") else f" (default {field.default})"
        text = field.metadata["help"].replace("%", "%%") + default
        parser.add_argument(_flag(field.name), metavar=_kind(field).upper(), help=text)
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _kind(field: "dataclasses.Field[Any]") -> str:
    if field.type == (Path | None):
        return "file"
    return str(getattr(field.type, "__name__", field.type))


def _convert(field: "dataclasses.Field[Any]", origin: str, text: str) -> Any:
    kind = _kind(field)
    if kind == "file":
        return Path(text) if text else None
    if kind == "str":
        return text
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        raise ConfigError(f"{origin}: {text!r} is not {'a whole number' if kind == 'int' else 'a number'}") from None
    low, high = field.metadata["at_least"], field.metadata["at_most"]
    if not low <= number <= high:  # also refuses nan
        raise ConfigError(f"{origin}: {text} is not between {low:g} and {high:g}")
    return number


def _check_together(settings: Settings) -> None:
    if settings.llm_min_ms > settings.llm_max_ms:
        raise ConfigError("--llm-min-ms is above --llm-max-ms")
    if settings.embedder not in ("hashing", "sentence-transformers"):
        raise ConfigError(f"--embedder: {settings.embedder!r} is neither hashing nor sentence-transformers")
    if settings.redis_url and not settings.redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError(f"--redis-url: {settings.redis_url!r} does not begin with redis://, rediss:// or unix://")
    for network in settings.admin_networks.split(","):
        try:
            ipaddress.ip_network(network.strip())
        except ValueError as error:
            raise ConfigError(f"--admin-networks: {error}") from None
