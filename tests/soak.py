"""Many runs in a row, with their figures: `make soak RUNS=20`, or `make soak RUNS=20 SCENARIO=cardinality`.

Scenarios take turns: each with seed 1, then each with seed 2, so that what drifts on the machine disturbs all alike.
A control run goes with every fifth turn. Appends a line a run to runs/soak.jsonl and goes on from there when it was
interrupted; docs/soak.jsonl is such a file, `--tell` its summary.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.catalog import find, names

FIGURES = (
    "time_to_detect_s", "signal_delay_s", "pipeline_delay_s", "pipeline_budget_s", "time_to_recover_s",
    "overhead_s", "wall_s",
)  # fmt: skip
EVERY = 5
"""Of so many turns the first has control runs, too."""
BURN = "import time\nend = time.time() + 900\nwhile time.time() < end: pass"
"""What keeps a core busy during a run; it ends by itself where nobody ends it."""


@dataclass(frozen=True)
class Wanted:
    """A run that the series has."""

    scenario: str
    seed: int
    control: bool = False
    busy: bool = False


@dataclass(frozen=True)
class Done:
    """A run of the series, how it came out, and on which state of the code."""

    scenario: str
    seed: int
    control: bool
    busy: bool
    speed: float
    verdict: str
    reason: str
    told: int
    figures: dict[str, float | None]
    commit: str
    day: str

    @property
    def wanted(self) -> Wanted:
        """The run that it is."""
        return Wanted(self.scenario, self.seed, self.control, self.busy)


def wanted(scenarios: Sequence[str], runs: int, *, busy: bool) -> Iterator[Wanted]:
    """The runs of a series in their order."""
    for seed in range(1, runs + 1):
        for name in scenarios:
            yield Wanted(name, seed, busy=busy)
        if (seed - 1) % EVERY == 0 and not busy:
            yield from (Wanted(name, seed, control=True) for name in scenarios)


def kept(log: Path) -> list[Done]:
    """What a log has; nothing where there is none."""
    return [Done(**json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(names()))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--speed", type=float, help="default: as fast as `lab run all` plays each")
    parser.add_argument("--busy", action="store_true", help="beside a process that takes a core")
    parser.add_argument("--tell", action="store_true", help="run nothing, sum up what the log has")
    parser.add_argument("--log", type=Path, default=Path("runs") / "soak.jsonl")
    args = parser.parse_args()
    args.log.parent.mkdir(parents=True, exist_ok=True)
    done = kept(args.log)
    have = {one.wanted for one in done}
    for one in () if args.tell else wanted(args.scenarios, args.runs, busy=args.busy):
        if one in have:
            continue
        done.append(_run(one, args.speed or find(one.scenario).scenario.top_speed))
        with args.log.open("a") as out:
            out.write(json.dumps(asdict(done[-1])) + "\n")
        _say(f"{one.seed:3} {one.scenario:16}{' control' if one.control else ''} {done[-1].verdict} {done[-1].reason}")
    for line in summary(done):
        _say(line)
    return 0 if all(good(one) for one in done) else 1


def good(one: Done) -> bool:
    """A pass; beside a busy core also a run that could not be measured. A control run has told nobody of anything."""
    if one.verdict == "inconclusive":
        return one.busy
    return one.verdict == "pass" and not (one.control and one.told)


def _run(one: Wanted, speed: float) -> Done:
    command = [sys.executable, "-m", "lab", "run", one.scenario, "-q", "--json", "-"]
    command += ["--seed", str(one.seed), "--speed", str(speed), *["--control"] * one.control]
    with _busy() if one.busy else nullcontext():
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if not ran.stdout:
        raise SystemExit(f"{' '.join(command)}: {ran.stderr.strip()}")
    found = json.loads(ran.stdout)
    told = sum(told["status"] == "firing" for told in found["notifications"])
    return Done(
        one.scenario, one.seed, one.control, one.busy, speed, found["verdict"], found["reason"], told,
        {name: found[name] for name in FIGURES}, _commit(), time.strftime("%Y-%m-%d"),
    )  # fmt: skip


@contextmanager
def _busy() -> Iterator[None]:
    burner = subprocess.Popen([sys.executable, "-c", BURN])
    try:
        yield
    finally:
        burner.kill()
        burner.wait()


def _commit() -> str:
    said = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or os.environ.get("GITHUB_SHA", "unknown")[:7]


def summary(done: Sequence[Done]) -> Iterator[str]:
    """A Markdown table a kind of runs: verdicts, and min / median / max of each figure."""
    for control, busy in ((False, False), (False, True), (True, False)):
        some = [one for one in done if (one.control, one.busy) == (control, busy)]
        if not some:
            continue
        yield "control runs" if control else "beside a busy core" if busy else "runs"
        heads = () if control else FIGURES
        yield "".join(f"| {cell} " for cell in ("scenario", "seeds", "verdicts", "told", *heads)) + "|"
        yield "|---" * (4 + len(heads)) + "|"
        for name in dict.fromkeys(one.scenario for one in some):
            yield _row(name, [one for one in some if one.scenario == name], heads)


def _row(name: str, runs: Sequence[Done], heads: Sequence[str]) -> str:
    verdicts = [one.verdict for one in runs]
    counted = ", ".join(f"{verdicts.count(v)} {v}" for v in sorted(set(verdicts), reverse=True))
    seeds = sorted(one.seed for one in runs)
    told = sum(one.told for one in runs)
    cells = [f"`{name}`", f"{seeds[0]} to {seeds[-1]}", counted, str(told), *(_span(runs, head) for head in heads)]
    return "".join(f"| {cell} " for cell in cells) + "|"


def _span(runs: Sequence[Done], name: str) -> str:
    values = [value for one in runs if (value := one.figures[name]) is not None and one.verdict == "pass"]
    return f"{min(values):.1f} / {statistics.median(values):.1f} / {max(values):.1f}" if values else "-"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
