"""Requests a second of the lab's load generator beside others on the same service: `make bench`.

One Locust process as a run starts it, asyncio with nothing between (lab.rag.load), and wrk where it is installed. They
take turns, so that a busy machine disturbs all alike: read the ratios. The service answers from its cache.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import lab.loadgen
from lab.rag.load import drive, queries
from lab.rag.local import running

HERE = Path(__file__).resolve().parent
LIVE = Path(lab.loadgen.__file__).parent / "live.py"
BODIES = 200
CONNECTIONS = 24
START_S = 2.0
"""Locust needs so long before it is at its speed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, running() as service:
        bodies = Path(scratch) / "bodies.jsonl"
        bodies.write_bytes(b"".join(body + b"\n" for body in itertools.islice(queries(1), BODIES)))
        generators = _generators(service.port, args.seconds, bodies)
        found: dict[str, list[float]] = {name: [] for name in generators}
        for number in range(args.rounds + 1):
            for name, measure in generators.items():
                rate = measure()
                if number:  # the first round fills the cache
                    found[name].append(rate)
    _tell({name: statistics.median(rates) for name, rates in found.items()})
    return 0


def _generators(port: int, seconds: float, bodies: Path) -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {
        "locust": lambda: _locust(port, seconds, bodies),
        "asyncio": lambda: _asyncio(port, seconds, bodies),
    }
    if wrk := shutil.which("wrk"):
        found["wrk"] = lambda: _wrk(wrk, port, seconds, bodies)
    return found


def _locust(port: int, seconds: float, bodies: Path) -> float:
    stats = bodies.with_name("stats.jsonl")
    stats.unlink(missing_ok=True)
    subprocess.run(
        (
            sys.executable, "-m", "locust", "-f", f"{HERE / 'locustfile.py'},{LIVE}", "--headless", "--only-summary",
            "--users", str(CONNECTIONS), "--spawn-rate", str(CONNECTIONS), "--loglevel", "ERROR",
            "--run-time", f"{seconds + START_S:.0f}s", "--host", f"http://127.0.0.1:{port}",
        ),
        env={**os.environ, "BENCH_BODIES": str(bodies), "LAB_LOAD_STATS": str(stats)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=seconds + 60,
    )  # fmt: skip
    lines = [json.loads(line) for line in stats.read_text().splitlines()]
    return statistics.fmean(line["served"] for line in lines[int(START_S) : -1])


def _asyncio(port: int, seconds: float, bodies: Path) -> float:
    return asyncio.run(drive(port, seconds, CONNECTIONS, itertools.cycle(bodies.read_bytes().splitlines()))).rate


def _wrk(wrk: str, port: int, seconds: float, bodies: Path) -> float:
    ran = subprocess.run(
        (wrk, "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds:.0f}s", "-s", str(HERE / "wrk.lua"),
         f"http://127.0.0.1:{port}"),
        env={**os.environ, "BENCH_BODIES": str(bodies)}, capture_output=True, text=True, check=True,
        timeout=seconds + 60,
    )  # fmt: skip
    rate = re.search(r"Requests/sec:\s*([0-9.]+)", ran.stdout)
    if rate is None or "Non-2xx" in ran.stdout:
        raise SystemExit(f"wrk: {ran.stdout}")
    return float(rate[1])


def _tell(rates: dict[str, float]) -> None:
    for name, rate in rates.items():
        print(f"{name:8} {rate:7,.0f} requests/s; Locust's are {rates['locust'] / rate:.2f} of them")  # noqa: T201
    if "wrk" not in rates:
        print("wrk      not installed")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
