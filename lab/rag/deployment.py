"""Loads the metrics module of a deployment: the one that is shipped, or the file that replaces it."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from prometheus_client import CollectorRegistry

from lab.rag import metrics as shipped
from lab.rag.errors import ConfigError

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
        return registry, module.new_metrics(registry)
    except Exception as error:
        raise ConfigError(f"--metrics {origin}: {_one_line(error)}") from error


def serve_metrics(module: MetricsModule, registry: CollectorRegistry, host: str, port: int) -> None:
    """Start the module's metrics server. Raises ConfigError when its address cannot be had."""
    try:
        module.serve(registry, host, port)
    except OSError as error:
        raise ConfigError(f"metrics on {host}:{port}: {error.strerror}") from error


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(REPLACEMENT, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"--metrics {path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[REPLACEMENT] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise ConfigError(f"--metrics {path}: no such file") from error
    except Exception as error:
        raise ConfigError(f"--metrics {path}: {_one_line(error)}") from error
    return module


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: " + " ".join(str(error).split())
