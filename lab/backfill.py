"""The past of the patient's Prometheus: a counter's history as blocks, and what recording rules would have recorded.

`promtool` writes both, two of it at a time. It reads an OpenMetrics file once for each block that the file touches, so
each block has a file of its own: of six hours, and not the two that are its default, which takes three quarters of the
time. What rules would have recorded it asks the server block by block, of two hours: short questions are answered
beside somebody's slow ones.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from lab.errors import StartError
from lab.install import Binary
from lab.runtime.protocol import Runtime, VolumeSpec
from lab.scenario import Backfill

BLOCK_H = 6
"""promtool takes 2, 6, 18 or 54 hours, the steps in which the server compacts blocks (tsdb.ExponentialBlockRanges)."""
BLOCK_S = BLOCK_H * 3600
RECORDED_BLOCK_S = 2 * 3600
"""What rules would have recorded promtool writes in blocks of the server's default length (DefaultBlockDuration)."""
DAY_S = 86_400
QUIET_S = 360
"""How long before the run the past ends: longer than the query lookback (5 min), so that counters of the past are not
taken for live ones."""
PROCESSES = 2
DEADLINE_S = 60.0
RETRY_S = 0.5


@dataclass(frozen=True)
class Past:
    """Counters at each scrape: `counts[series, step]`; `start`: Unix seconds of the first."""

    metric: str
    labels: tuple[str, ...]
    start: int
    step_s: int
    counts: NDArray[np.int64]

    @property
    def end(self) -> int:
        """Unix seconds of the last scrape."""
        return self.start + (len(self.counts[0]) - 1) * self.step_s

    @property
    def times(self) -> NDArray[np.int64]:
        """Unix seconds of the scrapes."""
        return self.start + np.arange(self.counts.shape[1]) * self.step_s

    def parts(self) -> list[NDArray[np.intp]]:
        """The steps of each block."""
        block = self.times // BLOCK_S
        return [np.flatnonzero(block == number) for number in np.unique(block)]

    def openmetrics(self, steps: NDArray[np.intp]) -> bytes:
        """The text of some steps for `promtool tsdb create-blocks-from openmetrics`."""
        rests = [b" %%d %d\n" % t for t in self.times[steps].tolist()]
        lines = [f"# TYPE {self.metric.removesuffix('_total')} counter\n".encode()]
        for labels, values in zip(self.labels, self.counts[:, steps].tolist(), strict=True):
            series = f"{self.metric}{{{labels}}}".replace("%", "%%").encode()
            lines.append((series + series.join(rests)) % tuple(values))  # millions of lines: formatted in C
        return b"".join([*lines, b"# EOF\n"])


def play(backfill: Backfill, seed: int, now: float) -> Past:
    """Count the queries of the past, busier by day than by night, until shortly before `now` (Unix seconds)."""
    steps = backfill.hours * 3600 // backfill.step_s + 1
    end = int(now - QUIET_S) // backfill.step_s * backfill.step_s
    start = end - (steps - 1) * backfill.step_s
    times = start + np.arange(steps) * backfill.step_s
    level = 1 + backfill.swing * np.sin(2 * np.pi * times / DAY_S)
    shares = np.repeat([share for _, share in backfill.shares], backfill.replicas)
    mean = shares / backfill.replicas * backfill.per_second * backfill.step_s
    counted = np.random.default_rng(seed).poisson(mean[:, None] * level[None, :])
    labels = tuple(
        _labels({"job": backfill.job, "instance": f"{backfill.job}-{replica:02d}:8001", **given})
        for given, _ in backfill.shares
        for replica in range(1, backfill.replicas + 1)
    )
    return Past(backfill.counter, labels, start, backfill.step_s, np.cumsum(counted, axis=1, dtype=np.int64))


def _labels(given: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in given.items())


def blocks(runtime: Runtime, promtool: Binary, storage: VolumeSpec, over: Event | None = None) -> Blocks:
    """Blocks in the storage of a Prometheus, by the promtool of its build, until it is `over`."""
    folder = runtime.data_dir(VolumeSpec(f"{storage.name}-input"))
    return Blocks(promtool, runtime.data_dir(storage), folder, over or Event())


@dataclass(frozen=True)
class Blocks:
    """Writes blocks into the data directory of a Prometheus. `folder`: for promtool's input."""

    promtool: Binary
    data: Path
    folder: Path
    over: Event = field(default_factory=Event)
    """Set when nobody wants them any more."""

    def write(self, past: Past) -> None:
        """Write a past. Before the server starts: it sees new blocks at its start. Raises `StartError`."""
        with ThreadPoolExecutor(PROCESSES) as pool:
            writing = [
                pool.submit(lambda n, steps: self.add(n, past.openmetrics(steps)), number, part)
                for number, part in enumerate(past.parts())
            ]
            try:
                for one in writing:
                    one.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def add(self, number: int, text: bytes) -> None:
        """Write the blocks of one OpenMetrics text. Raises `StartError`."""
        path = self.folder / f"{number:03d}.om"
        path.write_bytes(text)
        self._run("openmetrics", f"--max-block-duration={BLOCK_H}h", str(path), str(self.data))
        path.unlink()

    def record(self, rules: Path, url: str, start: int, end: int) -> None:
        """Write what the recording rules of a file would have recorded, as the server at `url` answers.

        A server that is still busy with somebody's slow queries is asked again. Raises `StartError` after a deadline.
        """
        middle = (start + end) // 2 // RECORDED_BLOCK_S * RECORDED_BLOCK_S
        spans = ((start, middle - 1), (middle, end)) if middle > start else ((start, end),)
        with ThreadPoolExecutor(PROCESSES) as pool:
            for done in [pool.submit(self._record, rules, url, *span) for span in spans]:
                done.result()

    def _record(self, rules: Path, url: str, start: int, end: int) -> None:
        argv = (f"--start={start}", f"--end={end}", f"--url={url}", f"--output-dir={self.data}", str(rules))
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                return self._run("rules", *argv)
            except StartError:
                if time.monotonic() > deadline or self.over.wait(RETRY_S):
                    raise

    def _run(self, what: str, *argv: str) -> None:
        command = [str(self.promtool.path), "tsdb", "create-blocks-from", what, *argv]
        # It has ended before it needs its garbage back (160 MB), and its collector would take a sixth of the time.
        env = {"GOGC": "off", **os.environ}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False, env=env)
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"promtool tsdb create-blocks-from {what}: {error}") from error
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip()[-300:]
            raise StartError(f"promtool tsdb create-blocks-from {what}: {last}")
