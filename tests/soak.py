"""Many runs of a scenario in a row, with their figures: `make soak RUNS=10 SCENARIO=cardinality`.

Appends a line a run to runs/soak-<scenario>.jsonl and goes on from there when it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

FIGURES = ("time_to_detect_s", "signal_delay_s", "pipeline_delay_s", "time_to_recover_s", "overhead_s", "wall_s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--log", type=Path)
    args, more = parser.parse_known_args()  # what is left goes to lab run
    log = args.log or Path("runs") / f"soak-{args.scenario}.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    for seed in range(len(done) + 1, args.runs + 1):
        done.append(_one(args.scenario, seed, more))
        with log.open("a") as out:
            out.write(json.dumps(done[-1]) + "\n")
        _tell(seed, done[-1])
    _summary(done)
    return 0 if all(d["verdict"] == "pass" for d in done) else 1


def _one(scenario: str, seed: int, more: list[str]) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "lab", "run", scenario, "-q", "--seed", str(seed), "--json", "-", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    outcome = json.loads(ran.stdout)
    return {k: outcome[k] for k in ("seed", "verdict", "reason", *FIGURES)}


def _tell(seed: int, figures: dict[str, Any]) -> None:
    print(f"{seed:4} {figures['verdict']:13} {figures['reason']}", *(f"{k} {figures[k]}" for k in FIGURES))  # noqa: T201


def _summary(done: list[dict[str, Any]]) -> None:
    verdicts = [d["verdict"] for d in done]
    print({v: verdicts.count(v) for v in sorted(set(verdicts))})  # noqa: T201
    for name in FIGURES:
        values = sorted(d[name] for d in done if d[name] is not None)
        if values:
            print(f"{name:18} min {values[0]:.1f}  median {statistics.median(values):.1f}  max {values[-1]:.1f}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
