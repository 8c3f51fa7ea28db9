"""Loads the metrics module of a deployment: the one that is shipped, or the file that replaces it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from prometheus_client import CollectorRegistry

from lab.rag import metrics as shipped
from lab.rag.errors import ConfigError

USED = ("record", "count_error", "watch")  # what the service calls
REPLACEMENT = "deployed_metrics"


@dataclass(frozen=True, slots=True)
class MetricsModule:
    """What the service uses of a metrics module."""

    new_metrics: Callable[[CollectorRegistry], shipped.Metrics]
    serve: Callable[[CollectorRegistry, str, int], Any]


def load_metrics(path: Path | None) -> MetricsModule:
    """The `Metrics` and `serve` to use. Raises ConfigError when the file is absent, broken or defines neither."""
    if path is None:
        return MetricsModule(shipped.Metrics, shipped.serve)
    module = _load(path)
    names = vars(module)
    if "Metrics" not in names and "serve" not in names:
        raise ConfigError(f"--metrics {path}: defines neither Metrics nor serve")
    return MetricsModule(names.get("Metrics", shipped.Metrics), names.get("serve", shipped.serve))


def start_metrics(module: MetricsModule, origin: Path | None) -> tuple[CollectorRegistry, shipped.Metrics]:
    """A registry with the module's metrics in it. Raises ConfigError when the module cannot make them."""
    registry = shipped.new_registry()
    try:
        metrics = module.new_metrics(registry)
    except Exception as error:
        raise ConfigError(f"--metrics {origin}: {_one_line(error)}") from error
    missing = [name for name in USED if not callable(getattr(metrics, name, None))]
    if missing:
        raise ConfigError(f"--metrics {origin}: Metrics lacks {', '.join(missing)}; derive it from lab.rag.metrics")
    return registry, metrics


def serve_metrics(module: MetricsModule, registry: CollectorRegistry, host: str, port: int) -> None:
    """Start the module's metrics server. Raises ConfigError when its address cannot be had."""
    try:
        module.serve(registry, host, port)
    except OSError as error:
        raise ConfigError(f"metrics on {host}:{port}: {error.strerror}") from error


def _load(path: Path) -> ModuleType:
    loader = SourceFileLoader(REPLACEMENT, str(path))
    module = ModuleType(REPLACEMENT)
    module.__file__ = str(path)
    sys.modules[REPLACEMENT] = module  # dataclasses look their module up by name
    try:
        exec(loader.get_code(REPLACEMENT) or "", vars(module))  # noqa: S102  (that is what --metrics asks for)
    except OSError as error:
        raise ConfigError(f"--metrics {path}: {error.strerror or error}") from error
    except Exception as error:
        raise ConfigError(f"--metrics {path}: {_one_line(error)}") from error
    return module


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: " + " ".join(str(error).split())
