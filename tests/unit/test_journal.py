"""The journal: what is written is what is read; what makes no sense is damage, never a verdict."""

from __future__ import annotations

import json
import math
import re
import threading
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
from histories import HEADER
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.cli import run_cli
from lab.errors import UsageError
from lab.events import KINDS, Event, Notified, RunEnded, Unmeasured, from_record, to_record
from lab.history import Sample
from lab.journal import Header, Journal, read

TEXT = st.text(st.characters(codec=None, categories=None), max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=32)
MAKE: dict[str, st.SearchStrategy[Any]] = {
    "float": NUMBER,
    "int": st.integers(-(2**40), 2**40),
    "str": TEXT,
    "tuple[str, ...]": st.lists(TEXT, max_size=3).map(tuple),
    "Mapping[str, str]": st.dictionaries(TEXT, TEXT, max_size=3),
    "Mapping[str, float | None]": st.dictionaries(TEXT, st.none() | NUMBER, max_size=3),
    "float | None": st.none() | NUMBER,
}
WORDS = re.compile(r"'(\w+)'")


def made(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Any event of a kind."""
    return st.builds(kind, **{f.name: of(str(f.type)) for f in fields(kind)})


def of(written: str) -> st.SearchStrategy[Any]:
    """What a field may hold, from its type as it is written."""
    return st.sampled_from(WORDS.findall(written)) if written.startswith("Literal") else MAKE[written]


ENTRY = st.one_of(*(made(kind) for kind in KINDS.values())) | st.builds(
    Sample, NUMBER, st.dictionaries(TEXT, NUMBER, max_size=4)
)


def write(path: Path, *entries: Sample | Event) -> Journal:
    journal = Journal(path, HEADER)
    for entry in entries:
        journal.record(entry)
    journal.close()
    return journal


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_every_kind_comes_back_as_it_was(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(made(kind))
    assert from_record(json.loads(json.dumps(to_record(event)))) == event


@given(entries=st.lists(ENTRY, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_was_live_is_what_is_read(entries: list[Sample | Event], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("j") / "journal.jsonl"
    journal = write(path, *entries)
    recording = read(path)
    assert (recording.header, recording.damaged) == (HEADER, "")
    assert recording.history == journal.history


def test_each_entry_is_on_disk_before_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", HEADER)
    for n in range(3):
        journal.record(Sample(float(n), {"x": 1.0}))
        assert len((tmp_path / "j").read_text().splitlines()) == n + 2
    journal.close()
    journal.record(RunEnded(9.0))
    assert len(journal.history.events) == 0


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "j")
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "j", HEADER)


@pytest.mark.parametrize("keep", [1, 12, 30])
def test_a_torn_last_line_is_damage_and_the_rest_is_kept(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, Sample(1.0, {"x": 1.0}), Sample(2.0, {"x": 2.0}))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:keep])
    recording = read(path)
    assert [s.t for s in recording.history.samples] == [1.0]
    assert recording.damaged.startswith("line 3 of 3")


@pytest.mark.parametrize(
    "line",
    [
        "garbage", "[]", "null", "{}", "[" * 100_000,
        '{"type":"sample","t":1}', '{"type":"sample","t":"x","values":{}}',
        '{"type":"sample","t":1,"values":{"a":"b"}}', '{"type":"event","kind":"nonsense","t":1}',
        '{"type":"event","kind":"run_ended"}', '{"type":"event","kind":"run_ended","t":"soon"}',
        '{"type":"event","kind":"unmeasured","t":1}', '{"type":"sample","t":0.5,"values":{}}',
        '{"type":"sample","t":NaN,"values":{}}', '{"type":"event","kind":"run_ended","t":Infinity}',
        f'{{"type":"sample","t":{"9" * 400},"values":{{}}}}', f'{{"type":"sample","t":2,"values":{{"a":{"9" * 400}}}}}',
        '{"type":"event","kind":"notified","t":2,"alert":["x"],"status":"firing","route":"slack"}',
        '{"type":"event","kind":"notified","t":2,"alert":"x","status":"gone","route":"slack"}',
        '{"type":"event","kind":"notified","t":2,"alert":"x","status":"firing","route":"slack","labels":{"a":1}}',
        '{"type":"event","kind":"exited","t":2,"service":"rag","code":true,"how":""}',
        '{"type":"event","kind":"deployed","t":2,"what":"fixed","files":[1]}',
        f'{{"type":"event","kind":"gap_measured","t":2,"last":{"9" * 400},"first":1}}',
        f'{{"type":"event","kind":"gap_measured","t":2,"last":-{"9" * 400},"first":1}}',
    ],
    ids=lambda line: line[:40],
)  # fmt: skip
def test_a_line_without_sense_ends_the_reading(line: str, tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, Sample(1.0, {}))
    with path.open("a") as out:
        out.write(line + "\n" + json.dumps({"type": "sample", "t": 3.0, "values": {}}) + "\n")
    recording = read(path)
    assert [s.t for s in recording.history.samples] == [1.0]
    assert recording.damaged.startswith("line 3 of 4")


@pytest.mark.parametrize(
    "text", ["{}\n", "hello\n", "\x00\xff", '{"type":"run"}\n', '{"type":"run","format":1}\n', "[\n"]
)
def test_a_foreign_file_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=str(path)):
        read(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speed", 0), ("speed", "15"), ("speed", math.nan), ("speed", math.inf), ("users", None), ("started_at", "x"),
        ("started_at", math.nan), ("versions", {"lab": 1}), ("own_alerts", [1]), ("control", "no"), ("scenario", None),
    ],
)  # fmt: skip
def test_a_header_of_other_types_is_refused_with_the_field(field: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(json.dumps({"type": "run", **asdict(HEADER), field: value}) + "\n")
    with pytest.raises(UsageError, match="j:1: not a journal of the lab: ") as refused:
        read(path)
    assert field in str(refused.value) or "speed 15, begun at nan" in str(refused.value)


def test_a_first_line_that_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(json.dumps({**asdict(HEADER), "type": "sample"}) + "\n")
    with pytest.raises(UsageError, match="no run header"):
        read(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(json.dumps({"type": "run", **asdict(HEADER), "format": 3}) + "\n")
    with pytest.raises(UsageError, match="format 3 is not 2 or older"):
        read(path)


@pytest.mark.parametrize("command", ["analyze", "report"])
def test_a_missing_folder_is_named(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([command, str(tmp_path / "nope")]) == 2
    said = f"lab: {tmp_path / 'nope'}: no such folder; give the folder of a run (`lab run` prints it)\n"
    assert capsys.readouterr().err == said


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file.*folder of a run"):
        read(tmp_path / "j")


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    assert read(tmp_path / "j").header is None


def test_a_header_of_an_older_lab_gets_the_defaults(tmp_path: Path) -> None:
    raw = asdict(HEADER)
    del raw["users"]
    (tmp_path / "j").write_text(json.dumps({"type": "run", **raw, "unknown": 1}) + "\n")
    header = read(tmp_path / "j").header
    assert isinstance(header, Header)
    assert header.users == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_makes_the_run_inconclusive_and_nothing_is_raised(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", HEADER)
    journal._file.close()
    journal._file = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115
    journal.record(Sample(1.0, {"x": 1.0}))
    journal.record(Sample(2.0, {"x": 1.0}))
    journal.close()
    assert [s.t for s in journal.history.samples] == [1.0, 2.0]
    (trouble,) = journal.history.of(Unmeasured)
    assert "No space left" in trouble.reason


def test_a_label_can_not_start_a_line(tmp_path: Path) -> None:
    write(tmp_path / "j", Notified(1.0, "A", "firing", "r", {"a": 'x\n{"type":"event"}\u2028\x85'}))
    assert len((tmp_path / "j").read_bytes().splitlines()) == 2


def test_a_clock_that_is_set_back_leaves_the_samples_in_order_and_the_run_unmeasured(tmp_path: Path) -> None:
    ticks = (100.0, 101.0, 41.0, 102.0)
    journal = write(tmp_path / "j", *[Sample(t, {"x": t}) for t in ticks])
    assert [s.t for s in journal.history.samples] == [100.0, 101.0, 102.0]
    assert journal.history.value("x", 101.0) == 101.0
    assert [(e.t, e.reason) for e in journal.history.of(Unmeasured)] == [
        (101.0, "the clock of this machine was set back by 60.0 s")
    ]
    assert read(tmp_path / "j").history == journal.history


def test_who_waits_for_a_sample_is_told_when_it_comes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", HEADER)
    waiting = threading.Thread(target=journal.await_sample, args=(3600.0,), daemon=True)
    waiting.start()
    journal.record(Sample(1.0, {}))
    waiting.join(10)
    assert not waiting.is_alive()
    journal.close()
