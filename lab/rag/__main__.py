"""`python -m lab.rag`: start the service."""

import os
import sys
from typing import TYPE_CHECKING

# Before numpy: more threads than one only get in each other's way on vectors this small, and cost memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from lab.rag.errors import ConfigError

if TYPE_CHECKING:
    from lab.rag.settings import Settings


def main() -> int:
    """Run until a signal; 0 after a clean stop, 2 when the service cannot start as asked."""
    try:
        _serve()
    except ConfigError as error:
        print(f"rag: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _serve() -> None:
    from lab.rag.app import create_app
    from lab.rag.deployment import load_metrics, serve_metrics, start_metrics
    from lab.rag.log import open_log
    from lab.rag.server import listen, run
    from lab.rag.service import build
    from lab.rag.settings import parse

    settings = parse(sys.argv[1:])
    module = load_metrics(settings.metrics)
    registry, metrics = start_metrics(module, settings.metrics)
    log = open_log(settings.log_file, settings.service, settings.environment)
    try:
        service = build(settings, metrics, log)
        app = create_app(service)
        socks = [listen(host, settings.port) for host in (settings.host, settings.also_host) if host]
        serve_metrics(module, registry, settings.metrics_host or settings.host, settings.metrics_port)
        _announce(settings)
        run(app, socks)
    finally:
        log.flush()


def _announce(settings: "Settings") -> None:
    lines = [
        f"queries on http://{settings.host}:{settings.port}, "
        f"metrics on http://{settings.metrics_host or settings.host}:{settings.metrics_port}/metrics"
    ]
    if not settings.redis_url:
        lines.append("no --redis-url: cache and costs are kept in this process and end with it")
    for line in lines:
        print(f"rag: {line}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a replaced metrics server may have left a thread that never ends.
    os._exit(code)
