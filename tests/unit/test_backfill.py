"""The back-filled past: its counters, its text, and what a real Prometheus would see in its blocks."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lab.backfill import BLOCK_S, QUIET_S, RECORDED_BLOCK_S, Blocks, Past, play
from lab.errors import StartError
from lab.install import Binary, BinaryError, find
from lab.scenario import Backfill

NOW = 1_750_000_123.4
SMALL = Backfill(
    "rag_queries_total", (({"status": "success"}, 0.9), ({"status": "error"}, 0.1)), replicas=3, per_second=60, hours=5
)


@pytest.fixture
def promtool() -> Binary:
    try:
        return find("promtool")
    except BinaryError as error:
        pytest.skip(str(error))


@pytest.fixture
def past() -> Past:
    return play(SMALL, 1, NOW)


def test_it_ends_before_the_run_for_longer_than_the_lookback(past: Past):
    assert 300 < QUIET_S <= NOW - past.end < QUIET_S + SMALL.step_s
    assert past.end - past.start == SMALL.hours * 3600


def test_counters_only_grow_at_the_given_rate(past: Past):
    assert (np.diff(past.counts, axis=1) >= 0).all()
    whole_days = play(Backfill(SMALL.counter, SMALL.shares, 3, 60, hours=48), 1, NOW)
    rate = (whole_days.counts[:, -1] - whole_days.counts[:, 0]).sum() / (48 * 3600)
    assert rate == pytest.approx(60, rel=0.01)
    errors = whole_days.counts[3:, -1].sum() / whole_days.counts[:, -1].sum()
    assert errors == pytest.approx(0.1, rel=0.02)


def test_the_same_seed_gives_the_same_past(past: Past):
    assert (play(SMALL, 1, NOW).counts == past.counts).all()
    assert (play(SMALL, 2, NOW).counts != past.counts).any()


def test_one_text_a_block_and_no_sample_lost(past: Past):
    texts = [past.openmetrics(part).decode() for part in past.parts()]
    samples = [line for text in texts for line in text.splitlines() if not line.startswith("#")]
    assert len(samples) == past.counts.size == len(set(samples))
    for text in texts:
        times = {int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}
        assert len({t // BLOCK_S for t in times}) == 1
        assert text.endswith("# EOF\n")
    assert 'rag_queries_total{job="rag",instance="rag-02:8001",status="error"} ' in texts[0]


def test_promtool_writes_blocks_that_hold_it(past: Past, promtool: Binary, tmp_path: Path):
    (tmp_path / "in").mkdir()
    Blocks(promtool, tmp_path / "data", tmp_path / "in").write(past)
    listed = subprocess.run(
        [str(promtool.path), "tsdb", "list", str(tmp_path / "data")], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()[1:]]
    assert sum(int(row[4]) for row in rows) == past.counts.size
    assert {int(row[6]) for row in rows} == {len(past.labels)}
    assert not list((tmp_path / "in").iterdir())


def test_what_promtool_refuses_is_an_error(past: Past, promtool: Binary, tmp_path: Path):
    wrong = Past("rag_queries_total", ('job="r"ag"',), past.start, 30, past.counts[:1])
    with pytest.raises(StartError, match="promtool tsdb create-blocks-from openmetrics"):
        Blocks(promtool, tmp_path / "data", tmp_path).write(wrong)


@pytest.fixture
def listening(tmp_path: Path) -> Blocks:
    """A promtool that writes down what it is asked."""
    program = tmp_path / "promtool"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n', encoding="utf-8")
    program.chmod(0o755)
    return Blocks(Binary("promtool", program, (2, 42, 0), "2.42.0", "flag"), tmp_path / "data", tmp_path)


@pytest.mark.parametrize(("hours", "writers"), [(1, 1), (5, 2), (13, 2), (48, 2)])
def test_what_is_recorded_has_neither_gap_nor_overlap(listening: Blocks, tmp_path: Path, hours: int, writers: int):
    end = int(NOW)
    listening.record(tmp_path / "rules.yml", "http://127.0.0.1:1", end - hours * 3600, end)
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    spans = sorted((int(first), int(last)) for first, last in re.findall(r"--start=(\d+) --end=(\d+)", asked))
    assert (spans[0][0], spans[-1][1]) == (end - hours * 3600, end)
    assert all(first <= last for first, last in spans)
    for (_, last), (first, _) in pairwise(spans):
        assert first == last + 1
        assert first % RECORDED_BLOCK_S == 0, "two writers of one block would be two blocks that overlap"
    assert len(spans) == writers
    lengths = [last - first for first, last in spans]
    assert max(lengths) - min(lengths) <= 2 * RECORDED_BLOCK_S, "the slower of the two is waited for"


def test_a_label_may_say_per_cent():
    past = Past("rag_queries_total", ('share="10%d"',), int(NOW), 30, np.array([[7, 9]]))
    assert (
        past.openmetrics(past.parts()[0]).decode().splitlines()[1] == f'rag_queries_total{{share="10%d"}} 7 {NOW:.0f}'
    )
