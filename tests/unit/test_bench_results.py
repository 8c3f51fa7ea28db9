"""A benchmark's file: what is written is read, fits its schema, and anything else is refused in one line."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from bench_corpus import RECORDED
from test_recorded import judged

from lab.bench.figures import BY_NAME, FIGURES, figures_of
from lab.bench.machine import this_machine, this_software
from lab.bench.results import MAX_BYTES, Benchmark, BenchRun, Settings, load, save
from lab.errors import UsageError
from lab.outcome import outcome

SCHEMA = json.loads(files("lab.report").joinpath("bench.schema.json").read_text())


def written(found: Benchmark, folder: Path) -> dict[str, Any]:
    save(found, folder / "b.json")
    assert [path.name for path in folder.iterdir()] == ["b.json"]
    told: dict[str, Any] = json.loads((folder / "b.json").read_text())
    return told


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    here = Benchmark(this_machine(), this_software(), Settings("native", 15.0, 3)).with_run("x:y", BenchRun(7, {}))
    for found in (RECORDED, here):
        jsonschema.validate(written(found, tmp_path), SCHEMA)
        assert load(tmp_path / "b.json") == found


def test_the_schema_knows_every_figure_and_is_strict(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    told = written(RECORDED, tmp_path)
    run = SCHEMA["properties"]["runs"]["additionalProperties"]["items"]
    assert list(run["properties"]["figures"]["properties"]) == [figure.name for figure in FIGURES]
    for name in told:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in told.items() if k != name}, SCHEMA)


@pytest.mark.parametrize("text", [
    "", "[]", "{}", "null", '{"format": 2}', "[" * 100_000,
    *(json.dumps({
        "format": 1, "machine": {"cpu": "x", "cores": 1, "memory_mib": 1, "architecture": "x"}, "software": {},
        "settings": {"runtime": "native", "speed": 1, "users": None}, "runs": runs,
    }) for runs in ([], {"a": 1}, {"a": [{"seed": 1}]}, {"a": [{"seed": 1, "figures": {"overhead_s": float("nan")}}]},
                    {"a": [{"seed": 1, "figures": {"overhead_s": "fast"}}]})),
])  # fmt: skip
def test_anything_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"other\.json: not a file of `lab bench --save`"):
        load(path)


@pytest.mark.parametrize(("change", "says"), [
    ({"format": None}, "it has no format; give a file that `lab bench --save` wrote"),
    ({"format": 2}, "its format is 2 and not 1; use the lab that wrote it"),
    ({"machine": {"cpu": "x"}}, "it has no cores; give"), ({"settings": 3}, "settings is no JSON object; give"),
    ({"runs": []}, "runs is no JSON object"), ({"runs": {"a": 1}}, "the runs of a are no list"),
    ({"runs": {"a": [1]}}, "a run of a is no JSON object"), ({"runs": {"a": [{"seed": 1}]}}, "it has no figures"),
])  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_in_words(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    told = {**written(RECORDED, tmp_path), **change}
    path = tmp_path / "b.json"
    path.write_text(json.dumps({name: value for name, value in told.items() if value is not None}))
    with pytest.raises(UsageError) as refused:
        load(path)
    assert says in str(refused.value)
    assert "Error" not in str(refused.value)


@pytest.mark.parametrize(("text", "says"), [
    ("", "it is no JSON that can be read"), ("[]", "it is no JSON object; give a file"),
])  # fmt: skip
def test_what_is_no_object_is_said_in_words(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(UsageError, match=says):
        load(tmp_path / "b.json")


def test_a_file_that_is_too_large_or_missing_or_can_not_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for wrong, why in ((path, "more than 16 MiB"), (tmp_path / "none.json", "No such file")):
        with pytest.raises(UsageError, match=why):
            load(wrong)
    (tmp_path / "folder").mkdir()
    before = list(tmp_path.iterdir())
    for place in (tmp_path / "no" / "b.json", tmp_path / "folder"):
        with pytest.raises(UsageError, match="give a file that can be written"):
            save(RECORDED, place)
    assert list(tmp_path.iterdir()) == before


def test_the_figures_of_a_recorded_run() -> None:
    judgement, recording = judged("cardinality/pass")
    assert recording.header is not None
    found = figures_of(outcome(recording.header, recording.history, judgement))
    assert set(found) == set(BY_NAME) - {"query_p95_before_s", "query_p95_after_s"}
    assert found["time_to_detect_s"] == pytest.approx(found["signal_delay_s"] + found["pipeline_delay_s"], abs=1e-3)
    assert 250 < found["requests_per_s"] < 350
    assert 50 < found["peak_rss_service_mib"] < found["peak_rss_patient_mib"] < 400


def test_scenarios_can_be_picked() -> None:
    two = RECORDED.with_run("b", BenchRun(1, {"overhead_s": 1.0}))
    assert list(two.only(("b",)).runs) == ["b"]
    assert two.only(()) == two
    assert ("b", "overhead_s") in two.measured()
    assert two.values("b", "time_to_detect_s") == two.values("c", "overhead_s") == []


def test_a_system_that_does_not_say_which_cores_are_ours_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 10)
    assert this_machine().cores == 10
