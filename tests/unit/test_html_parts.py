"""The parts that a report is made of: thinned lines, aligned diffs, lanes, the matrices, the list of runs."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from kept_runs import Page, Records, kept

from lab.cli import lab, run_cli
from lab.errors import UsageError
from lab.report.html.charts import thin
from lab.report.html.index import NAME, SERIES, Series, served_index, write_index
from lab.report.html.report import delays, write_report
from lab.report.html.sides import file_diff
from lab.report.html.timeline import MOST_SAID, timeline
from lab.stored import load


def test_a_peak_of_one_sample_is_still_seen() -> None:
    x = [float(n) for n in range(10_000)]
    values = [float(n % 7) for n in range(10_000)]
    values[4_321], values[7_654] = 99.0, -5.0
    moments, (line,) = thin(x, [values], points=100)
    assert len(moments) == len(line) <= 202
    assert moments == sorted(moments)
    known = [v for v in line if v is not None]
    assert (max(known), min(known)) == (99.0, -5.0)
    assert abs(moments[line.index(99)] - 4_321) <= 100


def test_a_gap_stays_a_gap() -> None:
    x = [float(n) for n in range(10_000)]
    values = [None if 2_000 <= n < 6_000 else 1.0 for n in range(10_000)]
    moments, (line,) = thin(x, [values], points=100)
    blind = [v for t, v in zip(moments, line, strict=True) if 2_100 <= t < 5_900]
    assert blind == [None] * len(blind)
    assert len(blind) > 60


def test_few_samples_are_all_kept() -> None:
    assert thin([0.0, 1.0, 2.0], [[1.0, None, 3.5]]) == ([0.0, 1.0, 2.0], [[1, None, 3.5]])


def test_moments_that_are_far_apart_are_kept() -> None:
    x = [float(n) for n in range(1_500)] + [1e6]
    moments, (line,) = thin(x, [[1.0] * 1_500 + [2.0]])
    assert moments[-1] == 1e6
    assert line[-1] == 2


def test_lines_are_aligned_and_words_are_marked() -> None:
    diff = file_diff("f", ["same", "the old word", "gone"], ["same", "the new word"])
    assert [(r.kind, r.left.number, r.right.number) for r in diff.rows] == [
        ("same", 1, 1), ("changed", 2, 2), ("changed", 3, None),
    ]  # fmt: skip
    assert diff.rows[1].left.pieces == (("the ", False), ("old", True), (" word", False))
    assert diff.rows[1].right.pieces == (("the ", False), ("new", True), (" word", False))
    assert (diff.removed, diff.added) == (2, 1)


def test_lines_without_likeness_are_not_marked_word_by_word() -> None:
    row = file_diff("f", ["alpha(beta)"], ["xyz = 12345 + something else"]).rows[0]
    assert row.left.pieces == (("alpha(beta)", False),)


def test_only_the_lines_around_a_change_are_shown() -> None:
    before = [str(n) for n in range(50)]
    diff = file_diff("f", before, [*before[:25], "x", *before[26:]])
    assert [r.kind for r in diff.rows] == ["skipped", *["same"] * 3, "changed", *["same"] * 3]


def test_equal_files_have_no_rows() -> None:
    assert file_diff("f", ["a"], ["a"]).rows == ()


def test_lanes_are_the_alerts_that_mattered(tmp_path: Path) -> None:
    found = timeline(load(kept(tmp_path, "alert_storm/pass")))
    lanes = {lane.name: lane for lane in found.lanes}
    assert lanes["AlertFlapping"].role == "own"
    assert lanes["NotificationStorm"].role == "follows"
    assert lanes["LatencyP95High"].role == "deployed"
    assert "HighErrorRate" not in lanes  # it never stirred
    assert found.quiet >= 8
    assert any(span.kind == "firing" and span.width > 5 for span in lanes["AlertFlapping"].spans)
    assert {told.kind for told in lanes["LatencyP95High"].told} == {"firing", "resolved"}
    assert {told.kind for told in lanes["LatencyP95OnTrial"].told} == {"trial"}


def test_an_alert_that_nobody_expected_has_a_lane(tmp_path: Path) -> None:
    def wrong(records: Records) -> Records:
        for record in [r for r in records if r["type"] == "sample"][40:50]:
            record["values"]["alert:HighErrorRate"] = 2.0
        return records

    lanes = timeline(load(kept(tmp_path, "cardinality/pass", wrong))).lanes
    assert [lane.role for lane in lanes if lane.name == "HighErrorRate"] == ["other"]


def test_no_mark_covers_another(tmp_path: Path) -> None:
    found = timeline(load(kept(tmp_path, "cardinality/pass")))
    assert len(found.badges) >= 8
    for row in range(found.rows):
        lefts = [badge.left for badge in found.badges if badge.row == row]
        assert all(b - a >= 4.4 for a, b in pairwise(lefts))
    assert {span.kind for span in found.phases} == {"steady", "broken", "fixed"}
    assert all(0 <= span.left <= 100 and span.left + span.width <= 100.01 for span in found.phases)


def test_the_lanes_are_there_in_words(tmp_path: Path) -> None:
    run = kept(tmp_path, "alert_storm/pass")
    lanes = {lane.name: lane for lane in timeline(load(run)).lanes}
    own, deployed = lanes["AlertFlapping"], lanes["LatencyP95High"]
    assert own.words.startswith("firing from 41.7 s to 80.7 s, told firing in #console at ")
    assert len(deployed.words.split(", ")) == MOST_SAID + 1
    assert deployed.words.endswith(f", and {len(deployed.spans + deployed.told) - MOST_SAID} more")
    found = Page(write_report(run).read_text()).text
    assert f"AlertFlapping: {own.words}" in found
    assert "phases: steady from 1.7 s to 16.8 s, broken from 16.8 s" in found


def test_delays_stand_beside_their_budget(tmp_path: Path) -> None:
    bars = {bar.name: bar for bar in delays(load(kept(tmp_path, "cardinality/pass")))}
    detect, signal, pipeline = bars["time to detect"], bars["of it signal"], bars["of it pipeline"]
    assert math.isclose(signal.seconds + pipeline.seconds, detect.seconds, abs_tol=0.01)
    assert pipeline.budget == 11.0
    assert pipeline.seconds < 11.0
    assert math.isclose(pipeline.left, signal.width, abs_tol=0.01)
    assert pipeline.left + pipeline.width < pipeline.budget_at


# Several runs


def series(folder: Path) -> Page:
    runs = tuple(kept(folder, name) for name in ("cardinality/noop", "alert_storm/pass"))
    write_index(folder, Series(runs, (("slow", "not begun: --max-wall 9 s are over"),)))
    return Page((folder / NAME).read_text())


def test_the_index_has_verdicts_links_and_both_matrices(tmp_path: Path) -> None:
    found = series(tmp_path)
    assert "2 runs in a row, 1 not begun" in found.text
    assert "1 pass, 1 fail, 1 inconclusive" in found.text
    links = [attrs["href"] for tag, attrs in found.elements if tag == "a"]
    assert "alert_storm/20260102T030405Z/report.html" in links
    assert "MetricCardinalityExplosion resolved: still firing" in found.text
    assert "not begun: --max-wall 9 s are over" in found.text
    assert found.text.index("Raised at a server") < found.text.index("Delivered to people")
    cells = [attrs["class"].split()[-1] for _, attrs in found.with_class("cell")]
    assert {"own", "follows"} <= set(cells)
    assert "wrong" not in cells
    assert "silent" not in cells


@pytest.mark.parametrize(
    ("not_begun", "worst", "title"),
    [
        ((), "pass", "1 run in a row: 1 pass"),
        ((("slow", "why"), ("slower", "why")), "inconclusive", "1 run in a row, 2 not begun: 1 pass, 2 inconclusive"),
    ],
)
def test_a_series_that_was_not_all_begun_is_not_green(
    not_begun: tuple[tuple[str, str], ...], worst: str, title: str, tmp_path: Path
) -> None:
    write_index(tmp_path, Series((kept(tmp_path, "cardinality/pass"),), not_begun))
    text = (tmp_path / NAME).read_text()
    (masthead,) = [attrs["class"] for _, attrs in Page(text).with_class("masthead")]
    assert masthead.split() == ["masthead", worst]
    assert f"<title>{title}</title>" in text


def test_where_links_lead_nowhere_the_index_has_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = Page(served_index(tmp_path))
    assert not [attrs["href"] for tag, attrs in found.elements if tag == "a" and not attrs["href"].startswith("#")]
    assert "alert_storm/20260102T030405Z/report.html" in found.text
    assert "report.html" not in series_text(tmp_path)


def series_text(folder: Path) -> str:
    """What is read in the index that lies there."""
    return Page((folder / NAME).read_text()).text


def test_the_index_shows_what_should_have_been_heard_and_what_should_not(tmp_path: Path) -> None:
    def wrong(records: Records) -> Records:
        kept_ = [r for r in records if r.get("kind") != "notified"]
        for record in [r for r in kept_ if r["type"] == "sample"][40:50]:
            record["values"]["alert:HighErrorRate"] = 2.0
        return kept_

    write_index(tmp_path, Series((kept(tmp_path, "cardinality/pass", wrong),)))
    cells = [a["class"].split()[-1] for _, a in Page((tmp_path / NAME).read_text()).with_class("cell")]
    assert "wrong" in cells
    assert "silent" in cells


def test_an_index_is_made_again_from_its_folder(tmp_path: Path) -> None:
    series(tmp_path)
    before = (tmp_path / NAME).read_text()
    (tmp_path / NAME).unlink()
    assert run_cli(["report", str(tmp_path)]) == 0
    assert (tmp_path / NAME).read_text() == before


def test_an_index_is_written_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series(tmp_path / "runs")
    (tmp_path / "runs" / NAME).unlink()
    target = tmp_path / "to" / "there.html"
    assert run_cli(["report", str(tmp_path / "runs"), "--to", str(target)]) == 2
    assert f"--to {target}: No such file" in capsys.readouterr().err
    target.parent.mkdir()
    assert run_cli(["report", str(tmp_path / "runs"), "--to", str(target)]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    links = [attrs["href"] for tag, attrs in Page(target.read_text()).elements if tag == "a"]
    assert "../runs/alert_storm/20260102T030405Z/report.html" in links
    assert not (tmp_path / "runs" / NAME).exists()


def test_a_series_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    (tmp_path / SERIES).write_text('{"runs": 3}')
    with pytest.raises(UsageError, match="not a series of the lab"):
        write_index(tmp_path)


# The commands


def test_lab_report_says_where_the_report_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = kept(tmp_path, "cardinality/noop")
    assert run_cli(["report", str(run)]) == 0
    assert capsys.readouterr().out.strip() == str(run / "report.html")
    monkeypatch.chdir(tmp_path)
    assert run_cli(["report", "cardinality/20260102T030405Z"]) == 0
    assert capsys.readouterr().out.strip() == "cardinality/20260102T030405Z/report.html"
    page = (run / "report.html").read_text()
    assert "still firing" in page
    assert "lab analyze cardinality/20260102T030405Z" in page
    assert not list(run.glob("*.part"))


def test_lab_report_writes_where_it_is_told(tmp_path: Path) -> None:
    run, target = kept(tmp_path, "cardinality/pass"), tmp_path / "there.html"
    assert run_cli(["report", str(run), "--to", str(target)]) == 0
    assert target.is_file()
    assert not (run / "report.html").exists()


@pytest.mark.parametrize(
    ("made", "to", "said"),
    [
        ("", None, "give the folder of a run"),
        ("journal.jsonl", None, "empty; nothing was recorded"),
        ("whole", "no/such/folder.html", "--to"),
    ],
)
def test_lab_report_of_what_is_no_run(
    made: str, to: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(tmp_path, "cardinality/pass") if made == "whole" else tmp_path
    if made == "journal.jsonl":
        (tmp_path / made).touch()
    assert run_cli(["report", str(run), *(["--to", str(tmp_path / to)] if to else [])]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def verdict(run: Path, text: str) -> None:
    (run / "verdict.json").write_text(text)


def test_lab_runs_lists_verdicts_newest_first(tmp_path: Path) -> None:
    old, new = kept(tmp_path, "cardinality/pass"), kept(tmp_path, "alert_storm/noop")
    new = new.rename(new.with_name("20270102T030405Z"))
    unfinished = kept(tmp_path, "label_leak/pass")
    unfinished = unfinished.rename(unfinished.with_name("20280102T030405Z"))
    verdict(old, json.dumps({"verdict": "pass", "reason": "", "wall_s": 94.2}))
    verdict(new, json.dumps({"verdict": "fail", "reason": "quiet days: \x07\x1b[31m1708", "wall_s": 60}))
    said = CliRunner().invoke(lab, ["runs", "--out", str(tmp_path)]).output
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == ["unfinished", "fail", "pass"]
    assert str(old) in lines[2]
    assert "94 s" in lines[2]
    assert "quiet days" in lines[1]
    assert not {"\x1b", "\x07"} & set(said)


def test_lab_runs_as_json(tmp_path: Path) -> None:
    run = kept(tmp_path, "cardinality/pass")
    verdict(run, json.dumps({"verdict": "pass", "reason": "", "wall_s": 94.2}))
    run_cli(["report", str(run)])
    (found,) = json.loads(CliRunner().invoke(lab, ["runs", "--out", str(tmp_path), "--json"]).output)
    assert (found["verdict"], found["wall_s"], found["run_dir"]) == ("pass", 94.2, str(run))
    assert found["report"] == str(run / "report.html")


@pytest.mark.parametrize("text", ["[]", "{", '{"verdict": 3}'])
def test_lab_runs_survives_a_verdict_that_is_none(text: str, tmp_path: Path) -> None:
    verdict(kept(tmp_path, "cardinality/pass"), text)
    found = CliRunner().invoke(lab, ["runs", "--out", str(tmp_path)])
    assert found.exit_code == 0
    assert "cardinality/20260102T030405Z" in found.output


def test_lab_runs_without_any(tmp_path: Path) -> None:
    assert "no run in" in CliRunner().invoke(lab, ["runs", "--out", str(tmp_path)]).output
