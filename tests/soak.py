"""Many runs in a row, with their figures: `make soak RUNS=20`, or `make soak RUNS=20 SCENARIO=cardinality`.

Scenarios take turns: each with seed 1, then each with seed 2, so that what drifts on the machine disturbs all alike.
A control run goes with every fifth turn. Appends a line a run to runs/soak.jsonl and goes on from there when it was
interrupted; what could not be measured is tried again. `--tell` sums a log up, such as docs/soak.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.catalog import find, names
from lab.events import DRY_RUN

FIGURES = (
    "time_to_detect_s", "signal_delay_s", "pipeline_delay_s", "pipeline_budget_s", "time_to_recover_s",
    "overhead_s", "wall_s",
)  # fmt: skip
PIPELINE_MEDIAN, PIPELINE_WORST = 1.0, 1.15
"""Of its budget: what the median and the longest of a scenario's pipeline delays may take."""
EVERY = 5
"""Of so many turns the first has control runs, too."""
BURN = "import time\nend = time.time() + 900\nwhile time.time() < end: pass"
"""What keeps a core busy during a run; it ends by itself where nobody ends it."""


@dataclass(frozen=True)
class Wanted:
    """A run that the series has. `speed`: times faster than production timings."""

    scenario: str
    seed: int
    speed: float
    control: bool = False
    busy: bool = False


@dataclass(frozen=True)
class Done:
    """A run of the series, how it came out, and on which state of the code. `told`: how often somebody was."""

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
        return Wanted(self.scenario, self.seed, self.speed, self.control, self.busy)

    @property
    def pipeline(self) -> float | None:
        """The share of its budget that the pipeline took."""
        took, budget = self.figures["pipeline_delay_s"], self.figures["pipeline_budget_s"]
        return took / budget if took is not None and budget else None


def wanted(speeds: Mapping[str, float], runs: int, *, busy: bool) -> Iterator[Wanted]:
    """The runs of a series in their order. `speeds`: of each scenario."""
    for seed in range(1, runs + 1):
        for name, speed in speeds.items():
            yield Wanted(name, seed, speed, busy=busy)
        if (seed - 1) % EVERY == 0 and not busy:
            yield from (Wanted(name, seed, speed, control=True) for name, speed in speeds.items())


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
    speeds = {name: args.speed or find(name).scenario.top_speed for name in args.scenarios}
    if not args.tell:
        _go_on(args.log, wanted(speeds, args.runs, busy=args.busy))
    done = [one for one in kept(args.log) if one.speed == speeds.get(one.scenario) and one.busy == args.busy]
    for line in summary(done):
        _say(line)
    _say(f"of the code at {', '.join(dict.fromkeys(one.commit for one in done))}")
    return 0 if done and all(good(one) for one in latest(done)) and all(in_budget(done, name) for name in speeds) else 1


def _go_on(log: Path, series: Iterator[Wanted]) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    have = {one.wanted for one in kept(log) if good(one) or one.verdict == "fail"}
    for one in series:
        if one in have:
            continue
        done = _run(one)
        with log.open("a") as out:
            out.write(json.dumps(asdict(done)) + "\n")
        _say(f"{one.seed:3} {one.scenario:16}{' control' if one.control else ''} {done.verdict} {done.reason}")


def latest(done: Sequence[Done]) -> list[Done]:
    """Of each run the last try: what could not be measured was tried again."""
    return list({one.wanted: one for one in done}.values())


def in_budget(done: Sequence[Done], scenario: str) -> bool:
    """Whether the pipeline kept to its budget on a machine of its own, in the runs in which it was measured."""
    passed = [one for one in done if one.scenario == scenario and one.verdict == "pass" and not one.busy]
    shares = [share for one in passed if (share := one.pipeline) is not None]
    return not shares or (statistics.median(shares) <= PIPELINE_MEDIAN and max(shares) <= PIPELINE_WORST)


def good(one: Done) -> bool:
    """A pass; beside a busy core also a run that could not be measured. A control run has told nobody of anything."""
    if one.verdict == "inconclusive":
        return one.busy
    return one.verdict == "pass" and not (one.control and one.told)


def _run(one: Wanted) -> Done:
    command = [sys.executable, "-m", "lab", "run", one.scenario, "-q", "--json", "-"]
    command += ["--seed", str(one.seed), "--speed", str(one.speed), *["--control"] * one.control]
    with _busy() if one.busy else nullcontext():
        said, complaint = _finished(command)
    if not said:
        raise SystemExit(f"{' '.join(command)}: {complaint.strip()}")
    found = json.loads(said)
    told = sum(one["status"] == "firing" and one["route"] != DRY_RUN for one in found["notifications"])
    return Done(
        one.scenario, one.seed, one.control, one.busy, one.speed, found["verdict"], found["reason"], told,
        {name: found[name] for name in FIGURES}, _commit(), time.strftime("%Y-%m-%d"),
    )  # fmt: skip


def _finished(command: Sequence[str]) -> tuple[str, str]:
    """What a command wrote to stdout and stderr. Ctrl-C reaches it, too; it is given the time to stop its servers."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            return child.communicate()
        except KeyboardInterrupt:
            child.communicate()
            raise


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
        yield (
            "".join(
                f"| {cell} "
                for cell in (
                    "scenario",
                    "speed",
                    "seeds",
                    "verdicts",
                    "told",
                    *heads,
                    *("share of the budget",) * bool(heads),
                )
            )
            + "|"
        )
        yield "|---" * (5 + len(heads) + bool(heads)) + "|"
        for name in dict.fromkeys(one.scenario for one in some):
            yield _row(name, [one for one in some if one.scenario == name], heads)


def _row(name: str, runs: Sequence[Done], heads: Sequence[str]) -> str:
    verdicts = [one.verdict for one in runs]
    counted = ", ".join(f"{verdicts.count(v)} {v}" for v in sorted(set(verdicts), reverse=True))
    seeds, speeds = sorted(one.seed for one in runs), sorted({one.speed for one in runs})
    cells = [
        f"`{name}`", ", ".join(f"{speed:g}" for speed in speeds), f"{seeds[0]} to {seeds[-1]}", counted,
        str(sum(one.told for one in runs)),
    ]  # fmt: skip
    passed = [one for one in runs if one.verdict == "pass"]
    cells += [_span([one.figures[head] for one in passed], 1) for head in heads]
    cells += [_span([one.pipeline for one in passed], 2)] * bool(heads)
    return "".join(f"| {cell} " for cell in cells) + "|"


def _span(values: Sequence[float | None], digits: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    return " / ".join(f"{value:.{digits}f}" for value in (min(known), statistics.median(known), max(known)))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
