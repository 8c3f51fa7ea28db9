"""Logs are watched for texts, line by line, as they are written."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from lab.logs import MOST_CHARS, LogWatch, pack

FULL = "no space left on device"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "prometheus.log"


def watch(log: Path, *wanted: tuple[str, str], most: int = 3) -> LogWatch:
    return LogWatch(log.parent.parent, wanted or (("prometheus", FULL),), most)


def told(found: LogWatch) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in found.fresh()]


def append(log: Path, text: str) -> None:
    with log.open("a") as out:
        out.write(text)


def test_only_what_is_new_is_told_with_its_line(log: Path) -> None:
    found = watch(log)
    append(log, f"a\nb {FULL}\nc\n")
    assert told(found) == [(2, f"b {FULL}")]
    assert told(found) == []
    append(log, f"d {FULL}\n")
    assert told(found) == [(4, f"d {FULL}")]


def test_a_line_is_told_when_it_is_whole(log: Path) -> None:
    found = watch(log)
    append(log, f"a\nb {FULL[:8]}")
    assert told(found) == []
    append(log, FULL[8:])
    assert told(found) == []
    append(log, "\nc\n")
    assert told(found) == [(2, f"b {FULL}")]


def test_a_full_disk_repeats_itself_and_is_told_thrice(log: Path) -> None:
    append(log, f"{FULL}\n" * 10)
    assert [number for number, _ in told(watch(log))] == [1, 2, 3]


def test_the_file_is_named_from_the_run_folder(log: Path) -> None:
    append(log, f"{FULL}\n")
    (line,) = watch(log).fresh()
    assert (line.service, line.file) == ("prometheus", "logs/prometheus.log")
    assert (log.parent.parent / line.file).is_file()


def test_each_service_and_text_for_itself(log: Path) -> None:
    append(log, f"one\n{FULL}\ntwo\n")
    append(log.with_name("rag.log"), f"{FULL}\ntwo\n")
    found = watch(log, ("prometheus", "one"), ("prometheus", "two"), ("rag", "two"))
    assert [(line.service, line.text) for line in found.fresh()] == [
        ("prometheus", "one"),
        ("prometheus", "two"),
        ("rag", "two"),
    ]


def test_no_log_yet(log: Path) -> None:
    assert told(watch(log)) == []


def test_bytes_that_are_no_text(log: Path) -> None:
    log.write_bytes(b"\xff\xfe " + FULL.encode() + b"\r\x85\n\n" + FULL.encode() + b"\n")
    assert [number for number, _ in told(watch(log))] == [1, 3]


@pytest.mark.parametrize("before", [0, 100, MOST_CHARS - len(FULL), MOST_CHARS, 50_000])
def test_of_a_long_line_the_wanted_text_is_kept(before: int, log: Path) -> None:
    append(log, "x" * before + FULL + "y" * 5000 + "\n")
    ((_, text),) = told(watch(log))
    assert FULL in text
    assert len(text) <= MOST_CHARS


@pytest.mark.parametrize(("size", "packed"), [(99, False), (100, True), (5000, True)])
def test_large_logs_are_packed_and_small_ones_stay(size: int, packed: bool, tmp_path: Path) -> None:
    log = tmp_path / "x.jsonl"
    log.write_bytes(b"x" * size)
    pack(log, 100)
    assert log.exists() is not packed
    if packed:
        assert gzip.decompress((tmp_path / "x.jsonl.gz").read_bytes()) == b"x" * size


def test_packing_what_is_not_there(tmp_path: Path) -> None:
    pack(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_packed_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Any, target: Any, *__: Any) -> None:
        target.write(b"half of it")
        raise OSError(28, "No space left on device")

    log = tmp_path / "x.jsonl"
    log.write_bytes(b"x" * 500)
    earlier = tmp_path / "y.jsonl.gz"
    earlier.write_bytes(b"packed before")
    pack(tmp_path / "y.jsonl")
    assert earlier.read_bytes() == b"packed before"
    earlier.unlink()
    monkeypatch.setattr("lab.logs.shutil.copyfileobj", full)
    pack(log, 100)
    assert log.read_bytes() == b"x" * 500
    assert list(tmp_path.iterdir()) == [log]
